/** The backplane: which Redis, and how it is reached. */
import { parseRedisUrl } from '../../../mesh/backplane/redis/redis-target.ts';
import type { ConfigPath } from '../config-path.ts';
import type { AddressConfig } from '../config.ts';
import type { BackplaneConfig, RedisConfig } from '../mesh-config.ts';
import type { RawBackplane } from '../schema/backplane.ts';
import { Malformed, parseAddress } from './address.ts';
import { mapPresent, type Draft } from './draft.ts';
import { toPeerTls } from './peer-tls.ts';

type RawRedis = NonNullable<RawBackplane['redis']>;
type RawServers = Exclude<RawRedis, string>;

export function toBackplane(draft: Draft, raw: RawBackplane): BackplaneConfig {
  const { redis, namespace } = raw;
  return {
    redis: redis === undefined ? undefined : toRedis(draft, redis, ['backplane', 'redis']),
    namespace,
  };
}

function toRedis(draft: Draft, raw: RawRedis, path: ConfigPath): RedisConfig {
  if (typeof raw === 'string') {
    checkUrl(draft, raw, path);
    return { kind: 'single', url: raw, username: undefined, password: undefined, tls: undefined };
  }
  const { url, sentinels, cluster, username, password } = raw;
  checkKind(draft, raw, path);
  const access = {
    username,
    password,
    tls: raw.tls && toPeerTls(draft, raw.tls, [...path, 'tls']),
  };
  if (sentinels !== undefined) {
    const { name = '', sentinelUsername, sentinelPassword } = raw;
    const addresses = toAddresses(draft, sentinels, [...path, 'sentinels']);
    const ofSentinels = { sentinels: addresses, sentinelUsername, sentinelPassword };
    return { kind: 'sentinel', name, ...ofSentinels, ...access };
  }
  if (cluster !== undefined) {
    const nodes = toAddresses(draft, cluster, [...path, 'cluster']);
    return { kind: 'cluster', nodes, ...access };
  }
  if (url !== undefined) checkUrl(draft, url, [...path, 'url']);
  return { kind: 'single', url: url ?? '', ...access };
}

function checkKind(draft: Draft, raw: RawServers, path: ConfigPath): void {
  const kinds = (['url', 'sentinels', 'cluster'] as const).filter((kind) => kind in raw);
  if (kinds.length !== 1) {
    const problem = kinds.length === 0 ? 'says nothing of where' : 'knows more than one way';
    draft.report(path, `redis ${problem}`, { hint: 'give url, or sentinels and name, or cluster' });
  }
  if (raw.sentinels !== undefined && raw.name === undefined) {
    draft.report(path, '"sentinels" needs "name"', {
      hint: 'give the name of the master group',
      absent: [...path, 'name'],
    });
  }
  for (const key of ['name', 'sentinelUsername', 'sentinelPassword'] as const) {
    if (raw[key] === undefined || raw.sentinels !== undefined) continue;
    draft.report([...path, key], `"${key}" means nothing without "sentinels"`, { at: 'key' });
  }
}

function checkUrl(draft: Draft, url: string, path: ConfigPath): void {
  try {
    parseRedisUrl(url);
  } catch (error) {
    draft.report(path, (error as Error).message);
  }
}

function toAddresses(draft: Draft, texts: readonly string[], path: ConfigPath): AddressConfig[] {
  return mapPresent(texts, path, (text, place) => {
    const address = parseAddress(text, 1);
    if (!(address instanceof Malformed)) return [address];
    draft.report(place, `${JSON.stringify(text)}: ${address.message}`, { hint: address.hint });
    return [];
  }).flat();
}
