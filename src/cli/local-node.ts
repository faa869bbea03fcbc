/** The node that runs here, as its configuration file tells of it: where its admin API is, and its token. */
import { dirname, join, resolve } from 'node:path';
import { TOKEN_FILE } from '../admin/admin-token.ts';
import { Malformed, parseAddress } from '../gateway/config/normalise/address.ts';
import { DEFAULT_DATA_DIR } from '../gateway/config/schema/document.ts';
import { readConfigFile } from '../gateway/config/read-config-file.ts';
import { readSourceDocument } from '../gateway/config/source-document.ts';
import { createSubstituter } from '../gateway/config/substitute.ts';
import { DEFAULT_CONFIG_FILE } from './config-file.ts';
import type { VerbIo } from './verb.ts';

export interface LocalNode {
  /** As it is named; undefined: there is none here. */
  readonly configFile: string | undefined;
  /** Absolute; what is in the data directory. */
  readonly tokenFile: string;
  /** Such as `http://127.0.0.1:8001`; undefined: the file says nothing of it, or leaves it to the system. */
  readonly adminAddress: string | undefined;
}

/** The second is the demo's, in a checkout. */
const CONFIG_FILES = [DEFAULT_CONFIG_FILE, join('config', DEFAULT_CONFIG_FILE)];
/** Of all of the machine's addresses, those at which it reaches itself. */
const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Never rejects: of a file that cannot be read the defaults are taken. */
export async function findLocalNode({ cwd, env }: VerbIo): Promise<LocalNode> {
  const named = env['MESHGATE_CONFIG'];
  for (const configFile of named ? [named] : CONFIG_FILES) {
    const path = resolve(cwd, configFile);
    const text = await readConfigFile(path).catch(() => undefined);
    if (text !== undefined) return { configFile, ...readNode(text, path, env) };
  }
  const directory = named ? dirname(resolve(cwd, named)) : cwd;
  return {
    configFile: undefined,
    tokenFile: join(directory, DEFAULT_DATA_DIR, TOKEN_FILE),
    adminAddress: undefined,
  };
}

function readNode(
  text: string,
  path: string,
  env: VerbIo['env'],
): Pick<LocalNode, 'tokenFile' | 'adminAddress'> {
  const directory = dirname(path);
  // A verb reads no file that the configuration names: what is in one is none of these two.
  const readText = (): never => {
    throw new Error('not read here');
  };
  const substituter = createSubstituter({ env, directory, readText });
  const { value } = readSourceDocument(text, substituter, () => undefined);
  const { dataDir, admin } = toMapping(value);
  const { address } = toMapping(admin);
  return {
    tokenFile: resolve(
      directory,
      typeof dataDir === 'string' ? dataDir : DEFAULT_DATA_DIR,
      TOKEN_FILE,
    ),
    adminAddress: typeof address === 'string' ? toOrigin(address) : undefined,
  };
}

function toMapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function toOrigin(address: string): string | undefined {
  if (!/:[0-9]{1,5}$/.test(address)) return undefined;
  const parsed = parseAddress(address, 1);
  if (parsed instanceof Malformed) return undefined;
  const host = LOOPBACK[parsed.host] ?? parsed.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${parsed.port}`;
}
