/** The schema of `backplane`: where nodes share what they know. */
import { Type, type Static } from 'typebox';
import { Address, CLOSED, Text } from './scalar.ts';
import { PeerTlsSchema } from './peer-tls.ts';

const RedisUrl = Type.String({
  pattern: '^rediss?://\\S+$',
  writeOnly: true,
  examples: ['redis://127.0.0.1:6379', 'rediss://mesh:${REDIS_PASSWORD}@redis.internal:6380/0'],
  description: '`redis[s]://[user][:password@]host[:port][/database]`; `rediss` is TLS.',
});

const secret = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, writeOnly: true, description }));

const RedisServers = Type.Object(
  {
    url: Type.Optional(RedisUrl),
    sentinels: Type.Optional(
      Type.Array(Address('A Sentinel.'), {
        minItems: 1,
        description: 'Sentinels that know the master; with `name`.',
      }),
    ),
    name: Type.Optional(Text('Name of the master group that the Sentinels watch.')),
    cluster: Type.Optional(
      Type.Array(Address('A node of the cluster.'), {
        minItems: 1,
        description: 'Some nodes of a Redis Cluster; the others are found through them.',
      }),
    ),
    username: Type.Optional(Text("ACL user. Default: the default user's password is used.")),
    password: secret('Password of the user.'),
    sentinelUsername: Type.Optional(Text('ACL user of the Sentinels.')),
    sentinelPassword: secret('Password for the Sentinels.'),
    tls: Type.Optional(PeerTlsSchema('TLS towards Redis. Default: plain, but for `rediss:`.')),
  },
  { ...CLOSED, description: 'One server by `url`, or `sentinels` and `name`, or `cluster`.' },
);

export const Backplane = Type.Object(
  {
    redis: Type.Optional(
      Type.Union([RedisUrl, RedisServers], {
        description: 'Redis 7 or later. Default: embedded, for one machine, in `dataDir`.',
      }),
    ),
    namespace: Type.String({
      pattern: '^[A-Za-z0-9_.-]{1,64}$',
      default: 'meshgate',
      description: 'Begins every key; nodes with the same one are one mesh.',
    }),
  },
  { ...CLOSED, default: {}, description: 'Where nodes share discovery, health and weights.' },
);

export type RawBackplane = Static<typeof Backplane>;
