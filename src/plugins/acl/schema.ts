/** The configuration of `acl`. */
import { Type, type Static } from '../sdk/plugin.ts';

const names = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description }));

const claimValue = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);

export const aclConfig = Type.Object(
  {
    allow: Type.Optional(
      Type.Object(
        {
          groups: names('Consumers in any of these groups.'),
          consumers: names('Consumers of any of these names.'),
          claims: Type.Optional(
            Type.Record(
              Type.String({ minLength: 1 }),
              Type.Union([claimValue, Type.Array(claimValue, { minItems: 1 })]),
              {
                minProperties: 1,
                description:
                  'Claims that the token must have, each with this value or one of these.',
              },
            ),
          ),
        },
        {
          additionalProperties: false,
          description: 'Who may pass; without it, everybody not denied.',
        },
      ),
    ),
    deny: Type.Optional(
      Type.Object(
        {
          groups: names('Consumers in any of these groups.'),
          consumers: names('Consumers of any of these names.'),
        },
        { additionalProperties: false, description: 'Who may not, whatever `allow` says.' },
      ),
    ),
    challenge: Type.String({
      default: 'Bearer realm="meshgate"',
      pattern: '^[ -~]+$',
      description: 'WWW-Authenticate for a caller who has not said who it is.',
    }),
  },
  { additionalProperties: false },
);

export type AclConfig = Static<typeof aclConfig>;
