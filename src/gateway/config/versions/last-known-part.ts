/** The version that a node ran last, from its data directory, for who looks at a configuration offline. */
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { createConfigKeys } from './config-keys.ts';
import type { SharedPart } from './shared-source.ts';
import { createVersionFile } from './version-file.ts';

/** In the data directory. */
export const VERSIONS_FOLDER = 'config-versions';
/** Of the newest version, and of the one that runs where the newest was refused. */
export const HEAD_FILE = 'head';
export const RUNNING_FILE = 'running';

export interface NodePlace {
  /** Of the node's file. */
  readonly config: Pick<Config, 'dataDir' | 'backplane'>;
  readonly configFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Undefined where no version has been run here. Rejects where it cannot be read, or there is no key. */
export async function readLastKnownPart(place: NodePlace): Promise<SharedPart | undefined> {
  const { config, configFile, env } = place;
  const { dataDir } = config;
  const directory = dirname(resolve(configFile));
  const isShared = config.backplane.redis !== undefined;
  const keys = createConfigKeys({ env, directory, dataDir, isShared });
  const sealer = await keys.forReading();
  const folder = join(dataDir, VERSIONS_FOLDER);
  for (const name of [RUNNING_FILE, HEAD_FILE]) {
    const kept = await createVersionFile(folder, name).read(sealer);
    if (kept !== undefined) return { name: `version ${kept.record.version}`, json: kept.json };
  }
  return undefined;
}
