/** The configuration of rate-limit. */
import { Duration, Type, type Static } from '../sdk/plugin.ts';

const closed = { additionalProperties: false };

export const RateLimitConfig = Type.Object(
  {
    limit: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      description: 'Points that a key may spend in one window',
    }),
    window: Duration({ description: "Length of a key's window, from its first request on" }),
    by: Type.Optional(
      Type.Union(
        [
          Type.Literal('consumer'),
          Type.Literal('ip'),
          Type.Literal('route'),
          Type.Object(
            { header: Type.String({ minLength: 1, description: 'Name of a request header' }) },
            closed,
          ),
          Type.Object(
            { claim: Type.String({ minLength: 1, description: 'Name of a claim of the token' }) },
            closed,
          ),
        ],
        {
          description:
            'Whom to count; default `consumer`. Without the consumer, header or claim, the address: IPv6 by its /64',
        },
      ),
    ),
    cost: Type.Union(
      [
        Type.Integer({ minimum: 0 }),
        Type.Record(Type.String({ pattern: '^[A-Z][A-Z0-9_-]*$' }), Type.Integer({ minimum: 0 }), {
          ...closed,
          description: 'By method; 1 for those not named',
        }),
      ],
      { default: 1, description: 'Points that a request spends; 0 is never refused' },
    ),
    name: Type.Optional(
      Type.String({
        pattern: '^[ !#-\\[\\]-~]{1,64}$',
        description: "Limits of one name share their counts. Default: the route's own",
      }),
    ),
    mode: Type.Union([Type.Literal('leased'), Type.Literal('exact')], {
      default: 'leased',
      description:
        'With Redis: `leased` draws points in batches and spends them in memory, `exact` asks for each request',
    }),
    onUnavailable: Type.Union(
      [Type.Literal('local'), Type.Literal('open'), Type.Literal('closed')],
      {
        default: 'local',
        description:
          'While Redis does not answer: count here, within the limit divided by the live nodes (`local`), let everybody through (`open`), or refuse with 503 (`closed`)',
      },
    ),
    status: Type.Integer({
      minimum: 400,
      maximum: 599,
      default: 429,
      description: 'Status of a refusal',
    }),
    headers: Type.Boolean({
      default: true,
      description: 'Tell the limit in RateLimit-Policy and RateLimit',
    }),
  },
  closed,
);

export type RateLimitConfig = Static<typeof RateLimitConfig>;

export type CountedBy = NonNullable<RateLimitConfig['by']>;
