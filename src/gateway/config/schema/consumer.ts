/** The schema of `consumers`: who calls. */
import { Type, type Static } from 'typebox';
import { CLOSED, Labels, Name, Text } from './scalar.ts';

export const ConsumerSchema = Type.Object(
  {
    name: Name('Name of the caller.'),
    groups: Type.Array(Text('A group.'), { default: [], description: 'Groups it belongs to.' }),
    apiKeys: Type.Array(
      Type.Object(
        {
          hash: Type.String({
            pattern: '^sha256:[0-9A-Fa-f]{64}$',
            writeOnly: true,
            examples: ['sha256:<64 hexadecimal digits>, from: printf %s "$KEY" | sha256sum'],
            description: 'SHA-256 of the key: `printf %s KEY | sha256sum`.',
          }),
        },
        CLOSED,
      ),
      { default: [], description: 'API keys, by their hashes.' },
    ),
    labels: Labels(),
    jwt: Type.Optional(
      Type.Object(
        { issuer: Text("Issuer of the caller's tokens."), subject: Text('Subject of its tokens.') },
        { ...CLOSED, description: 'Tokens that are the callers.' },
      ),
    ),
  },
  { ...CLOSED, description: 'Someone who calls.' },
);

export const Consumers = Type.Array(ConsumerSchema, {
  default: [],
  description: 'Who calls, for plugins that tell callers apart.',
});

export type RawConsumer = Static<typeof ConsumerSchema>;
