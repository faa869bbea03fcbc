/** A configuration that is loaded by what is known of the one before is the same as one that is loaded from nothing. */
import { asyncProperty, assert, boolean } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Config } from '../../../src/gateway/config/config.ts';
import {
  GatheredConfig,
  STREAMED_LISTS,
  toListPieces,
} from '../../../src/gateway/config/config-pieces.ts';
import { EntryMemory } from '../../../src/gateway/config/entry-memory.ts';
import {
  loadConfig,
  loadEntries,
  type LoadedEntries,
  type LoadOptions,
} from '../../../src/gateway/config/load.ts';
import {
  EMPTY_DOCUMENT,
  parseSharedDocument,
  toCanonicalJson,
} from '../../../src/gateway/config/versions/shared-document.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';
import { generatedRuns, GENERATED_SEED } from '../../generated-runs.ts';
import { changingDocuments, type ChangingDocument } from './changing-document.ts';

const OWN = {
  meshgate: 1,
  listeners: [
    { name: 'one', address: '127.0.0.1:1' },
    { name: 'two', address: '127.0.0.1:2' },
  ],
};

const ENV = { ADDRESS: '127.0.0.1:5', WAIT: '7s', SECRET: 'pssst-pssst', GROUP: 'g' };

/** Loads by what it knows, and puts together what another thread would be sent of it. */
class Loader {
  readonly #memory = new EntryMemory();
  #sent: Partial<Record<string, readonly string[]>> = {};
  #config: Config | undefined;
  /** Entries that have not been looked at again. */
  known = 0;

  async check(options: LoadOptions): Promise<boolean> {
    return (await loadEntries('/x.yaml', options, this.#memory, true)).ok;
  }

  async load(options: LoadOptions): Promise<unknown> {
    const result = await loadEntries('/x.yaml', options, this.#memory, false);
    if (!result.ok) return result;
    const { head, lists, ok, warnings, hash, sharedHash, owner, files } = result;
    this.#config = this.#receive(head, lists);
    return { ok, warnings, hash, sharedHash, owner, files, config: this.#config };
  }

  #receive(head: LoadedEntries['head'], lists: LoadedEntries['lists']): Config {
    const gathered = new GatheredConfig(this.#config);
    for (const list of STREAMED_LISTS) {
      const digests = lists[list].map(({ digest }) => digest);
      this.known += lists[list].filter(({ item }) => item === undefined).length;
      for (const piece of toListPieces(list, this.#sent[list] ?? [], digests, (at) => {
        const { item } = lists[list][at]!;
        if (item === undefined) throw new Error('it was never sent');
        return item;
      }))
        gathered.add(structuredClone(piece));
      this.#sent[list] = digests;
    }
    return gathered.complete(structuredClone(head));
  }
}

type Place = 'JSON' | 'YAML' | 'shared';

function toOptions(document: ChangingDocument, place: Place): LoadOptions | undefined {
  const options = { catalogue: standardPlugins, env: ENV, now: () => 0 };
  if (place === 'JSON') return { ...options, text: JSON.stringify({ ...OWN, ...document }) };
  if (place === 'YAML') return { ...options, text: stringify({ ...OWN, ...document }) };
  const parsed = parseSharedDocument({ ...EMPTY_DOCUMENT, ...document });
  if (!parsed.ok) return undefined;
  const shared = { name: 'version', json: toCanonicalJson(parsed.document) };
  return { ...options, text: JSON.stringify(OWN), shared };
}

/** What a round trip through JSON makes of it: what is not set may be absent. */
function comparable(result: unknown): unknown {
  return JSON.parse(JSON.stringify(result));
}

describe('a configuration that is loaded after another', () => {
  it.each([
    ['of a file of JSON', 'JSON'],
    ['of a file of YAML', 'YAML'],
    ['that nodes share', 'shared'],
  ] as const)(
    'is, or is refused, as it would be without the other: one %s',
    async (_, place) => {
      let accepted = 0;
      let refused = 0;
      let warned = 0;
      let known = 0;
      await assert(
        asyncProperty(changingDocuments, boolean(), async (documents, looksFirst) => {
          const loader = new Loader();
          for (const document of documents) {
            const options = toOptions(document, place);
            if (options === undefined) continue;
            const whole = await loadConfig('/x.yaml', options);
            if (whole.ok) accepted++;
            else refused++;
            if (whole.ok && whole.warnings.length > 0) warned++;
            const isAccepted = looksFirst ? await loader.check(options) : whole.ok;
            expect(isAccepted).toBe(whole.ok);
            expect(comparable(await loader.load(options))).toEqual(comparable(whole));
          }
          known += loader.known;
        }),
        { numRuns: generatedRuns(60), seed: GENERATED_SEED },
      );
      expect({ accepted, refused, warned }).toSatisfy(
        () => Math.min(accepted, refused, warned) > 20,
      );
      expect(known).toBeGreaterThan(1_000);
    },
    60_000,
  );

  it('has what substitutions are now, not what they were', async () => {
    const loader = new Loader();
    const services = { s: { endpoints: [{ address: '127.0.0.1:1' }] } };
    const routes = [{ name: 'r', match: { path: '/' }, to: 's', timeout: '${WAIT}' }];
    const document = { services, routes, consumers: [], plugins: [] };
    for (const place of ['shared', 'YAML', 'JSON'] as const) {
      for (const [WAIT, timeoutMs] of [
        ['1s', 1_000],
        ['2s', 2_000],
      ] as const) {
        const options = { ...toOptions(document, place)!, env: { WAIT } };
        const loaded = await loader.load(options);
        expect(loaded).toMatchObject({ ok: true, config: { routes: [{ timeoutMs }] } });
      }
    }
  });

  it('shows nothing of a secret in a warning at an entry that is known', async () => {
    const secret = 'route-0123456789-0123456789-0123456789';
    const services = { s: { endpoints: [{ address: '127.0.0.1:1' }] } };
    const jwt = { issuer: 'i', audience: 'a', secret };
    const known = { name: 'known', match: { path: '/' }, to: 's', plugins: [{ jwt }] };
    const first = { name: secret, match: { path: '/' }, to: 's' };
    const document = { services, routes: [known], consumers: [], plugins: [] };
    const loader = new Loader();
    expect(await loader.load(toOptions(document, 'shared')!)).toMatchObject({ ok: true });
    const options = toOptions({ ...document, routes: [first, known] }, 'shared')!;
    const loaded = comparable(await loader.load(options));
    expect(loaded).toEqual(comparable(await loadConfig('/x.yaml', options)));
    const { warnings } = loaded as { warnings: readonly { message: string }[] };
    expect(warnings.map(({ message }) => message)).toEqual([expect.not.stringContaining(secret)]);
  });
});
