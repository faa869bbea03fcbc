/** The configuration of `jwt`. */
import { Duration, TOKEN_PATTERN, Type, type Static } from '../sdk/plugin.ts';
import { ALGORITHMS } from './algorithms.ts';

const text = Type.String({ minLength: 1 });
const claimValue = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);
const oneOrMore = (description: string) =>
  Type.Optional(Type.Union([text, Type.Array(text, { minItems: 1 })], { description }));

export const jwtConfig = Type.Object(
  {
    issuer: oneOrMore('Accepted `iss`, one or several. Left out: not checked.'),
    audience: oneOrMore('Accepted `aud`, one or several. Left out: not checked.'),
    jwks: Type.Optional(
      Type.Union(
        [
          text,
          Type.Object({ file: text }, { additionalProperties: false }),
          Type.Object(
            { keys: Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1 }) },
            { additionalProperties: false },
          ),
        ],
        { description: "The issuer's public keys: a URL, a file, or `{ keys: […] }` (RFC 7517)." },
      ),
    ),
    secret: Type.Optional(
      Type.String({
        writeOnly: true,
        description: 'Shared secret for HS256, HS384 and HS512; at least as long as the hash.',
      }),
    ),
    algorithms: Type.Optional(
      Type.Array(Type.Enum([...ALGORITHMS]), {
        minItems: 1,
        uniqueItems: true,
        description: 'Accepted signatures. Left out: all that fit the kind of keys given.',
      }),
    ),
    leeway: Duration({ default: '30s', description: 'How far clocks may differ; at most 60s.' }),
    requireExpiry: Type.Boolean({ default: true, description: 'Refuse tokens without `exp`.' }),
    requiredClaims: Type.Optional(
      Type.Union(
        [
          Type.Array(text, { minItems: 1 }),
          Type.Record(text, Type.Union([claimValue, Type.Array(claimValue, { minItems: 1 })])),
        ],
        {
          description:
            'Claims that must be there, or the value (or one of the values) that each must have.',
        },
      ),
    ),
    claimsToHeaders: Type.Optional(
      Type.Record(text, Type.String({ pattern: TOKEN_PATTERN }), {
        description: 'Header fields to tell the service claims by. Never taken from the client.',
      }),
    ),
    from: Type.Union(
      [
        Type.Object(
          { header: Type.String({ pattern: TOKEN_PATTERN }) },
          { additionalProperties: false },
        ),
        Type.Object(
          { cookie: Type.String({ pattern: TOKEN_PATTERN }) },
          { additionalProperties: false },
        ),
        Type.Object({ query: text }, { additionalProperties: false }),
      ],
      { default: { header: 'authorization' }, description: 'Where the token is.' },
    ),
    forward: Type.Boolean({
      default: true,
      description: 'Whether the token is passed on to the service.',
    }),
    optional: Type.Boolean({
      default: false,
      description:
        'Let requests without a token through, as nobody. A bad token is refused all the same.',
    }),
    consumerClaim: Type.String({
      default: 'sub',
      minLength: 1,
      description: 'The claim that, with the issuer, names the consumer.',
    }),
    requireConsumer: Type.Boolean({
      default: false,
      description: 'Refuse tokens of nobody in `consumers`.',
    }),
    realm: Type.String({
      default: 'meshgate',
      pattern: '^[ !#-\\[\\]-~]*$',
      description: 'Named in WWW-Authenticate.',
    }),
    allowPrivateAddresses: Type.Boolean({
      default: false,
      description: 'Allow a key set URL in a private or loopback network, and over plain http.',
    }),
    cacheMaxAge: Duration({
      default: '10m',
      description: 'How old the key set may get before it is fetched again.',
    }),
    cooldown: Duration({
      default: '30s',
      description: 'At least this long between two fetches for unknown keys.',
    }),
    cacheSize: Type.Integer({
      default: 10_000,
      minimum: 0,
      description: 'Verified tokens to remember, so that each is verified once.',
    }),
  },
  { additionalProperties: false },
);

export type JwtConfig = Static<typeof jwtConfig>;
