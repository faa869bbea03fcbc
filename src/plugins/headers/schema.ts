/** The configuration of headers. */
import { Type, type Static } from '../sdk/plugin.ts';

const HeaderChanges = Type.Object(
  {
    set: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Fields to write in place of all lines of that name',
      }),
    ),
    add: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })]),
        { description: 'Fields to append, each value as a line of its own' },
      ),
    ),
    remove: Type.Optional(
      Type.Array(Type.String(), { description: 'Names of fields to leave out' }),
    ),
  },
  { additionalProperties: false },
);

export type HeaderChanges = Static<typeof HeaderChanges>;

export const HeadersConfig = Type.Object(
  {
    request: Type.Optional(HeaderChanges),
    response: Type.Optional(HeaderChanges),
  },
  { additionalProperties: false },
);

export type HeadersConfig = Static<typeof HeadersConfig>;
