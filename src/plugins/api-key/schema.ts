/** The configuration of `api-key`. */
import { TOKEN_PATTERN, Type, type Static } from '../sdk/plugin.ts';

export const apiKeyConfig = Type.Object(
  {
    header: Type.String({
      default: 'x-api-key',
      pattern: TOKEN_PATTERN,
      description: 'Header field that carries the key.',
    }),
    query: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Query parameter that may carry the key instead. URLs end up in logs: prefer the header.',
      }),
    ),
    forward: Type.Boolean({
      default: false,
      description: 'Whether the key is passed on to the service.',
    }),
    optional: Type.Boolean({
      default: false,
      description:
        'Let requests without a key through, as nobody. A wrong key is refused all the same.',
    }),
    realm: Type.String({
      default: 'meshgate',
      pattern: '^[ !#-\\[\\]-~]*$',
      description: 'Named in WWW-Authenticate.',
    }),
  },
  { additionalProperties: false },
);

export type ApiKeyConfig = Static<typeof apiKeyConfig>;
