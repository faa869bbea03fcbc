/** Which configuration file a verb is about. */
import type { VerbIo } from './verb.ts';

export const DEFAULT_CONFIG_FILE = 'meshgate.yaml';

/** `--config` goes first, then MESHGATE_CONFIG, then `meshgate.yaml` here. */
export function configFileOf(option: string | undefined, { env }: VerbIo): string {
  return option ?? (env['MESHGATE_CONFIG'] || DEFAULT_CONFIG_FILE);
}
