/** The schemas of `rewrite`, `redirect` and `respond`. */
import { Type, type Static } from 'typebox';
import { RedirectStatusSchema } from './redirect-status.ts';
import { AbsolutePath, CLOSED, Text } from './scalar.ts';

export const Rewrite = Type.Object(
  {
    path: Type.Optional(AbsolutePath('In place of the whole path.')),
    prefix: Type.Optional(AbsolutePath('In place of the prefix that matched.')),
    stripPrefix: Type.Optional(AbsolutePath('Removed from the front, by whole segments.')),
    regex: Type.Optional(
      Text('Each match of this linear-time (RE2) expression becomes `replacement`.'),
    ),
    replacement: Type.Optional(
      Type.String({ description: 'For `regex`; `$1` is its first group.' }),
    ),
    host: Type.Optional(Text('In place of the Host field.')),
  },
  { ...CLOSED, minProperties: 1, description: 'What the service is asked for instead.' },
);

export const Redirect = Type.Object(
  {
    scheme: Type.Optional(
      Type.Enum(['http', 'https'], { description: 'Brings its own port, unless `port` is given.' }),
    ),
    host: Type.Optional(Text('Host name. Default: that of the request.')),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: "Default: the listener's port." }),
    ),
    path: Type.Optional(AbsolutePath('In place of the whole path.')),
    prefix: Type.Optional(AbsolutePath('In place of the prefix that matched.')),
    status: RedirectStatusSchema(302),
  },
  { ...CLOSED, description: 'Send the client elsewhere.' },
);

export const Respond = Type.Object(
  {
    status: Type.Integer({
      minimum: 200,
      maximum: 599,
      default: 200,
      description: 'Status of the answer.',
    }),
    body: Type.String({ default: '', description: 'Body of the answer.' }),
    headers: Type.Record(Type.String(), Type.String(), {
      default: {},
      description: 'Header fields of the answer.',
    }),
  },
  { ...CLOSED, description: 'Answer without a service.' },
);

export type RawRewrite = Static<typeof Rewrite>;
export type RawRedirect = Static<typeof Redirect>;
export type RawRespond = Static<typeof Respond>;
