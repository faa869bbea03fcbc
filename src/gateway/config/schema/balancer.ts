/** The schema of a service's `balancer`: how requests are spread over its endpoints. */
import { Type, type Static } from 'typebox';
import { TOKEN_PATTERN } from '../../../plugins/sdk/field-syntax.ts';
import { Duration } from '../../../plugins/sdk/quantity.ts';
import { CLOSED, Text } from './scalar.ts';

const HashOn = Type.Object(
  {
    header: Type.Optional(
      Type.String({ pattern: TOKEN_PATTERN, examples: ['X-User'], description: 'A header field.' }),
    ),
    cookie: Type.Optional(Text('A cookie.')),
    query: Type.Optional(Text('A query parameter.')),
    ip: Type.Optional(Type.Literal(true, { description: "The client's address." })),
  },
  {
    ...CLOSED,
    minProperties: 1,
    maxProperties: 1,
    description:
      "What keeps a caller on an endpoint, for ring-hash and maglev. A request without it goes anywhere. Default: the client's address.",
  },
);

const Sticky = Type.Object(
  {
    cookie: Type.String({
      pattern: TOKEN_PATTERN,
      examples: ['session-endpoint'],
      description: 'Name of the cookie. The service does not see it.',
    }),
    maxAge: Type.Optional(
      Duration({ description: 'How long a browser keeps it. Default: until it is closed.' }),
    ),
    secret: Type.Optional(
      Type.String({
        minLength: 16,
        writeOnly: true,
        description:
          'Signs it; the same on every node. Default: one made at random and kept in `dataDir`.',
      }),
    ),
  },
  {
    ...CLOSED,
    description: 'Keeps a browser on its endpoint, by a cookie, while that one is well.',
  },
);

const SlowStart = Type.Object(
  {
    window: Duration({ default: '30s', description: 'How long it takes to the whole share.' }),
    aggression: Type.Number({
      exclusiveMinimum: 0,
      maximum: 100,
      default: 1,
      description: 'Above 1 the share grows fast at first; 1 is a straight line.',
    }),
  },
  {
    ...CLOSED,
    description: 'An endpoint that is new, or well again, gets its share little by little.',
  },
);

export const Balancer = Type.Object(
  {
    policy: Type.Enum(
      ['round-robin', 'random', 'least-request', 'peak-ewma', 'ring-hash', 'maglev'],
      { default: 'round-robin', description: 'How an endpoint is chosen.' },
    ),
    hashOn: Type.Optional(HashOn),
    hashBalanceFactor: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 1000,
        description:
          'With a hash: no endpoint gets more than so many times its part of the load; others take the rest. Default: no bound.',
      }),
    ),
    sticky: Type.Optional(Sticky),
    slowStart: Type.Optional(SlowStart),
    zoneAware: Type.Optional(
      Type.Boolean({
        description:
          "Prefer endpoints of the node's own zone while they have the capacity. Default: yes, where `node.zone` is set and the policy goes by no hash.",
      }),
    ),
  },
  { ...CLOSED, default: {}, description: 'How requests are spread over the endpoints.' },
);

export type RawBalancer = Static<typeof Balancer>;
