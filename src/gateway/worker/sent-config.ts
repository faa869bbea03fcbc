/** A configuration, made ready to be sent to workers. */
import { toHead, toPieces, type ConfigHead, type ConfigPiece } from '../config/config-pieces.ts';
import type { Config } from '../config/config.ts';
import type { NumberedConfig } from '../config/snapshot-slot.ts';
import { allListenersOf } from '../doors/door-listeners.ts';
import { toKey } from '../listener/listener-set.ts';

/** A configuration as it is sent. */
export interface SentConfig {
  readonly revision: number;
  readonly hash: string;
  readonly head: ConfigHead;
  readonly ports: ReadonlyMap<string, number>;
  /** One after the other; `before` is what the worker runs, of which it is told what has changed. */
  readonly pieces: (before: SentConfig | undefined) => Generator<ConfigPiece>;
  readonly config: Config;
}

/** `ports`: those that are open, by the listeners' keys. */
export function toSentConfig(
  { config, revision, hash }: NumberedConfig,
  ports: ReadonlyMap<string, number>,
): SentConfig {
  const keys = allListenersOf(config).map(toKey);
  return {
    revision,
    hash,
    head: toHead(config),
    ports: new Map(keys.map((key) => [key, ports.get(key)!])),
    pieces: (before) => toPieces(config, before?.config),
    config,
  };
}
