/** The option `redis` → which Redis, and how it is reached. */
import {
  parseRedisUrl,
  toRedisTls,
  type RedisAddress,
  type RedisTarget,
  type RedisTls,
  type RedisTopology,
} from '../mesh/backplane/redis/redis-target.ts';
import { parseAddress } from './address.ts';
import { invalidOption } from './client-error.ts';
import { OptionFields } from './option-fields.ts';
import { parseTls } from './parse-tls.ts';

const KINDS = ['url', 'sentinels', 'cluster'] as const;
const OF_SENTINELS = ['name', 'sentinelUsername', 'sentinelPassword'] as const;
const FIELDS = [...KINDS, ...OF_SENTINELS, 'username', 'password', 'tls'];

export function parseRedis(value: unknown): RedisTarget {
  if (typeof value === 'string') return parseUrl('redis', value);
  if (value === undefined) throw invalidOption('redis', 'is missing, such as redis://host:6379');
  const fields = new OptionFields(value, 'redis', FIELDS);
  checkKind(fields);
  const tls = parseRedisTls(fields);
  const username = fields.text('username');
  const password = fields.text('password');
  const url = fields.text('url');
  const access = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
  if (url !== undefined) {
    return { ...access, ...parseUrl('redis.url', url), ...(tls !== undefined && { tls }) };
  }
  return { ...access, topology: toTopology(fields, tls), ...(tls !== undefined && { tls }) };
}

function checkKind(fields: OptionFields): void {
  const kinds = KINDS.filter((kind) => fields.has(kind));
  if (kinds.length !== 1) {
    throw invalidOption('redis', 'must have one of url, sentinels and cluster');
  }
  const isSentinel = kinds[0] === 'sentinels';
  if (isSentinel && !fields.has('name')) {
    fields.fail('name', 'is missing: that of the master group which the Sentinels watch');
  }
  for (const name of OF_SENTINELS) {
    if (!isSentinel && fields.has(name)) fields.fail(name, 'means nothing without sentinels');
  }
}

function toTopology(fields: OptionFields, tls: RedisTls | undefined): RedisTopology {
  if (fields.has('cluster')) return { type: 'cluster', nodes: parseAddresses(fields, 'cluster') };
  return {
    type: 'sentinel',
    sentinels: parseAddresses(fields, 'sentinels'),
    name: fields.text('name')!,
    sentinelUsername: fields.text('sentinelUsername'),
    sentinelPassword: fields.text('sentinelPassword'),
    sentinelTls: tls,
  };
}

function parseUrl(field: string, url: string): RedisTarget {
  try {
    return parseRedisUrl(url);
  } catch (error) {
    throw invalidOption(field, `is ${(error as Error).message}`);
  }
}

function parseAddresses(fields: OptionFields, name: string): readonly RedisAddress[] {
  return fields.list(name)!.map((text, index) => {
    return parseAddress(text) ?? fields.fail(`${name}[${index}]`, 'must be host:port');
  });
}

function parseRedisTls(fields: OptionFields): RedisTls | undefined {
  const value = fields.get('tls');
  if (value === undefined || value === false) return undefined;
  if (value === true) return {};
  return toRedisTls(parseTls(fields, 'tls')!);
}
