/** The schema of a route's `match`: which requests are meant. */
import { TOKEN_PATTERN } from '../../../plugins/sdk/field-syntax.ts';
import { Type, type Static } from 'typebox';
import { AbsolutePath, CLOSED, Text } from './scalar.ts';

export function Hosts(description: string) {
  return Type.Array(Type.String({ minLength: 1, examples: ['api.example.com', '*.example.com'] }), {
    minItems: 1,
    description,
  });
}

const Path = Type.Union(
  [
    AbsolutePath('A path; one that ends in `/*` is a prefix.'),
    Type.Object(
      {
        exact: Type.Optional(AbsolutePath('This path and no other.')),
        prefix: Type.Optional(AbsolutePath('This path and all below it, by whole segments.')),
        regex: Type.Optional(Text('A linear-time (RE2) expression that the whole path must meet.')),
      },
      { ...CLOSED, minProperties: 1, maxProperties: 1 },
    ),
  ],
  { description: 'Ends in `/*`: a prefix by whole segments; else exact. Default: every path.' },
);

const Condition = Type.Union([
  Type.String({ description: 'This value exactly.' }),
  Type.Object(
    {
      exact: Type.Optional(Type.String({ description: 'This value exactly.' })),
      regex: Type.Optional(Text('A linear-time (RE2) expression that the whole value must meet.')),
      present: Type.Optional(Type.Literal(true, { description: 'Any value.' })),
    },
    { ...CLOSED, minProperties: 1, maxProperties: 1 },
  ),
]);

export const Match = Type.Object(
  {
    hosts: Type.Optional(
      Hosts('Host names; `*.example.com` spans any number of labels. Default: every host.'),
    ),
    path: Type.Optional(Path),
    methods: Type.Optional(
      Type.Array(Type.String({ pattern: TOKEN_PATTERN, examples: ['GET', 'POST'] }), {
        minItems: 1,
        description: 'Methods; GET does not admit HEAD. Default: every method.',
      }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Condition, {
        description: 'Header fields, all of which must hold.',
      }),
    ),
    query: Type.Optional(
      Type.Record(Type.String(), Condition, {
        description: 'Query parameters, all of which must hold.',
      }),
    ),
  },
  { ...CLOSED, description: 'Conditions that must all hold.' },
);

export type RawMatch = Static<typeof Match>;
export type RawCondition = Static<typeof Condition>;
