/** A configuration, made ready to be sent to workers. */
import { toHead, toPieces, type ConfigPiece } from '../config/config-pieces.ts';
import { inTurns } from '../config/in-turns.ts';
import type { NumberedConfig } from '../config/snapshot-slot.ts';
import { allListenersOf } from '../doors/door-listeners.ts';
import { toKey } from '../listener/listener-set.ts';
import type { SentConfig } from './worker.ts';

/** `ports`: those that are open, by the listeners' keys. */
export async function toSentConfig(
  { config, revision, hash }: NumberedConfig,
  ports: ReadonlyMap<string, number>,
): Promise<SentConfig> {
  const pieces: ConfigPiece[] = [];
  await inTurns(toPieces(config), (piece) => pieces.push(piece));
  const keys = allListenersOf(config).map(toKey);
  return {
    revision,
    hash,
    head: toHead(config),
    pieces,
    ports: new Map(keys.map((key) => [key, ports.get(key)!])),
  };
}
