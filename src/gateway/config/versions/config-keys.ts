/** Where the key comes from that shared configurations are sealed with: the environment, a file, or the data directory. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { toReadFailure } from '../file-failure.ts';
import { createSealer, KEY_BYTES, type Sealer } from './sealer.ts';
import { writeFirst } from '../../../mesh/backplane/first-file.ts';

export interface ConfigKeysOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A relative path in the environment starts here. */
  readonly directory: string;
  readonly dataDir: string;
  /** Other nodes read what this one writes: then a key of its own is of no use. */
  readonly isShared: boolean;
}

export interface ConfigKeys {
  /** None is given, and one of its own would be of no use: no version can be read or written. */
  readonly isMissing: boolean;
  /** Undefined where there is no key (yet). */
  forReading(): Promise<Sealer | undefined>;
  /** Rejects with a `ConfigKeyError` where there is none, and none of its own will do. */
  forWriting(): Promise<Sealer>;
}

/** A key is missing, or is none; the message names the remedy, and never shows the key. */
export class ConfigKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigKeyError';
  }
}

const VARIABLE = 'MESHGATE_CONFIG_KEY';
const FILE_VARIABLE = 'MESHGATE_CONFIG_KEY_FILE';
/** In the data directory. */
const KEY_FILE = 'config-key';
/** What to do where a key is missing. */
export const KEY_REMEDY = `set ${VARIABLE}, or ${FILE_VARIABLE} to the name of a file, to the same key on every node (openssl rand -base64 32)`;
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/** Throws a `ConfigKeyError` for a variable that holds no key, or names no file of one. */
export function createConfigKeys(options: ConfigKeysOptions): ConfigKeys {
  const { dataDir, isShared } = options;
  const given = givenKeys(options);
  const file = join(dataDir, KEY_FILE);
  let sealer: Sealer | undefined;

  /** A key of the data directory still opens what it sealed before one was given. */
  async function forReading(): Promise<Sealer | undefined> {
    if (sealer !== undefined) return sealer;
    const own = isShared ? [] : await readOwn(file);
    const keys = [...given, ...own];
    if (keys.length > 0) sealer = createSealer(keys);
    return sealer;
  }

  return {
    isMissing: isShared && given.length === 0,
    forReading,
    async forWriting() {
      const known = await forReading();
      if (known !== undefined) return known;
      if (isShared) {
        throw new ConfigKeyError(
          `the configuration is encrypted in the backplane, and there is no key: ${KEY_REMEDY}`,
        );
      }
      await writeFirst(file, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
      return (await forReading())!;
    },
  };
}

/** Absolute; undefined where the environment names none. */
export function keyFileOf({
  env,
  directory,
}: Pick<ConfigKeysOptions, 'env' | 'directory'>): string | undefined {
  const name = env[FILE_VARIABLE]?.trim() ?? '';
  return name === '' ? undefined : resolve(directory, name);
}

function givenKeys(options: ConfigKeysOptions): readonly Uint8Array[] {
  const text = options.env[VARIABLE];
  if (text !== undefined && text.trim() !== '') return parseKeys(text, VARIABLE);
  const path = keyFileOf(options);
  if (path === undefined) return [];
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigKeyError(`${FILE_VARIABLE}: ${toReadFailure(error, path)}`);
  }
  return parseKeys(content, path);
}

/** The first seals; those after it, blanks or commas between, open what was sealed before. */
function parseKeys(text: string, where: string): readonly Uint8Array[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 0) throw new ConfigKeyError(`${where} holds no key: ${KEY_REMEDY}`);
  return words.map((word, index) => {
    const key = Buffer.from(word, 'base64');
    if (BASE64.test(word) && key.length === KEY_BYTES) return key;
    const which = words.length === 1 ? 'what it holds' : `number ${index + 1}`;
    throw new ConfigKeyError(
      `${where}: ${which} is no key; a key is ${KEY_BYTES} bytes in Base64 (openssl rand -base64 32)`,
    );
  });
}

async function readOwn(file: string): Promise<readonly Uint8Array[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new ConfigKeyError(toReadFailure(error, file));
  }
  return parseKeys(text, file);
}
