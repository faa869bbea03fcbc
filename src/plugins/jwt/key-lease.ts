/** The key source that a configuration asks for. */
import { durationMs, type PluginContext } from '../sdk/plugin.ts';
import { JwksSource } from './jwks-source.ts';
import { parseKeyLocation } from './key-location.ts';
import { parseKeySet } from './key-set.ts';
import { createFixedKeySource } from './key-source.ts';
import { leaseKeySource, type KeySourceLease } from './key-source-pool.ts';
import type { JwtConfig } from './schema.ts';

/** Less than the plugin's deadline: a request that waits for keys is answered by the plugin itself. */
const LOAD_TIMEOUT_MS = 5000;

/** A lease on the source of the configured keys, which begins to load them at once. */
export function leaseKeys(config: JwtConfig, context: PluginContext): KeySourceLease {
  const { jwks, allowPrivateAddresses } = config;
  if (jwks === undefined) return fixed([]);
  const location = parseKeyLocation(jwks);
  if (location.kind === 'inline') return fixed(location.keys);

  const { fetchJson, readFile, clock, random, log } = context;
  const maxAgeMs = durationMs(config.cacheMaxAge);
  const cooldownMs = durationMs(config.cooldown);
  const refreshes = context.metrics.counter(
    'jwks_refreshes_total',
    'Loads of key sets by their result.',
    ['result'],
  );
  const [capability, where, load] =
    location.kind === 'url'
      ? [
          fetchJson,
          location.url,
          () => fetchJson(location.url, { timeoutMs: LOAD_TIMEOUT_MS, allowPrivateAddresses }),
        ]
      : [
          readFile,
          location.path,
          async (): Promise<unknown> => JSON.parse(await readFile(location.path)),
        ];
  const name = JSON.stringify([where, allowPrivateAddresses, maxAgeMs, cooldownMs]);
  const lease = leaseKeySource(
    capability,
    name,
    () =>
      new JwksSource({
        location: where,
        load,
        maxAgeMs,
        cooldownMs,
        clock,
        random,
        log,
        onLoaded: (result) => refreshes.inc({ result }),
      }),
  );
  // So that the first request finds the keys, or at least the load under way.
  if (lease.source.keys === undefined) void lease.source.refresh();
  return lease;
}

function fixed(keys: readonly unknown[]): KeySourceLease {
  return { source: createFixedKeySource(parseKeySet({ keys })), release() {} };
}
