/** The tokens as this node knew them last, for a start without the backplane: digests, and no text. */
import { join } from 'node:path';
import { reasonOf } from '../../mesh/backplane/backplane-error.ts';
import { readDurable, writeDurable } from '../../mesh/backplane/durable-file.ts';
import { isObject } from '../../mesh/backplane/json-object.ts';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { TokenBook } from './token-merge.ts';
import { parseTokenRecord, toTokenValue, type TokenRecord } from './token-record.ts';

/** In the data directory. */
const FILE = 'admin-tokens.json';

export interface SavedTokens {
  readonly book: TokenBook;
  /** When each was last used, as far as is known here; by id. */
  readonly uses: ReadonlyMap<string, number>;
}

export interface TokenFile {
  /** Undefined where there is none that can be read. */
  read(): Promise<SavedTokens | undefined>;
  /** Writes what `current` gives then; what is asked for while it writes is written after it, once. */
  save(): void;
  /** Resolves when nothing is being written any more. */
  settled(): Promise<void>;
}

export function createTokenFile(dataDir: string, current: () => SavedTokens, log: Log): TokenFile {
  const file = join(dataDir, FILE);
  let isDue = false;
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (isDue) {
      isDue = false;
      try {
        await writeDurable(file, toText(current()));
      } catch (error) {
        log.warn({ file, reason: reasonOf(error) }, 'the tokens could not be kept on the disk');
      }
    }
    writing = undefined;
  }

  return {
    async read() {
      try {
        const { text, damaged } = await readDurable(file);
        if (damaged.length > 0) log.warn({ damaged }, 'the tokens on the disk were damaged');
        return text === undefined ? undefined : parse(text);
      } catch (error) {
        log.warn({ file, reason: reasonOf(error) }, 'the tokens on the disk cannot be read');
        return undefined;
      }
    },
    save() {
      isDue = true;
      writing ??= writeAll();
    },
    settled: async () => writing,
  };
}

function toText({ book, uses }: SavedTokens): string {
  const tokens = [...book.tokens.values()].map((record) => [record.id, toTokenValue(record)]);
  return JSON.stringify({ fleet: book.fleet, tokens, uses: [...uses] });
}

/** Its checksum held, so it is what this program wrote; a record may be of a newer version. */
function parse(text: string): SavedTokens {
  const saved: unknown = JSON.parse(text);
  const { fleet, tokens, uses } = (isObject(saved) ? saved : {}) as {
    readonly fleet?: string;
    readonly tokens?: readonly (readonly [string, unknown])[];
    readonly uses?: readonly (readonly [string, number])[];
  };
  const records = new Map<string, TokenRecord>();
  for (const [id, value] of tokens ?? []) {
    const record = parseTokenRecord(id, value);
    if (record !== undefined) records.set(id, record);
  }
  return { book: { fleet, tokens: records }, uses: new Map(uses) };
}
