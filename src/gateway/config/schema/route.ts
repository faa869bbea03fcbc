/** The schema of `routes`: which requests go where. */
import { Type, type Static } from 'typebox';
import { Duration } from '../../../plugins/sdk/quantity.ts';
import { Match } from './match.ts';
import { PluginList } from './plugin-list.ts';
import { RouteRetrySchema } from './retry.ts';
import { Redirect, Respond, Rewrite } from './rewrite.ts';
import { CLOSED, Labels, Name, TextMap } from './scalar.ts';

const serviceName = Name('Name of a service.');
const where = TextMap('Only endpoints with this metadata.');

const TargetSchema = Type.Object(
  {
    service: Type.Optional(serviceName),
    weight: Type.Number({
      minimum: 0,
      maximum: 1_000_000,
      default: 1,
      description: 'Share of the requests, in proportion to the other targets; 0: none.',
    }),
    where,
    plugins: PluginList("After the route's own."),
    rewrite: Type.Optional(Rewrite),
    redirect: Type.Optional(Redirect),
    respond: Type.Optional(Respond),
  },
  { ...CLOSED, description: 'A service, or an answer of its own.' },
);

const Mirror = Type.Object(
  {
    service: serviceName,
    percent: Type.Number({
      minimum: 0,
      maximum: 100,
      default: 100,
      description: 'Share of the requests that are copied.',
    }),
    where,
  },
  { ...CLOSED, description: 'A service that gets copies; its answers are dropped.' },
);

export const Route = Type.Object(
  {
    name: Name('Name, for logs and metrics.'),
    match: Type.Optional(
      Type.Union([Type.Array(Match, { minItems: 1 }), Match], {
        description: 'Which requests are meant; a list is OR. Default: all of them.',
      }),
    ),
    to: Type.Optional(
      Type.Union([serviceName, TargetSchema, Type.Array(TargetSchema, { minItems: 1 })], {
        description: 'Where they go: the name of a service, a target, or several with weights.',
      }),
    ),
    redirect: Type.Optional(Redirect),
    respond: Type.Optional(Respond),
    listeners: Type.Optional(
      Type.Array(Name('Name of a listener.'), {
        minItems: 1,
        description: 'Only through these doors. Default: all.',
      }),
    ),
    rewrite: Type.Optional(Rewrite),
    timeout: Duration({
      default: '0s',
      description: 'The whole exchange, retries included; `0s`: none.',
    }),
    retry: Type.Optional(RouteRetrySchema),
    mirror: Type.Array(Mirror, {
      default: [],
      description: 'Services that get copies of requests.',
    }),
    plugins: PluginList('Run on this route, after those on every route.'),
    priority: Type.Integer({
      minimum: -1_000_000,
      maximum: 1_000_000,
      default: 0,
      description: 'Higher wins, before every other rule.',
    }),
    allowEncodedSlash: Type.Boolean({
      default: false,
      description: 'Let `%2F` and `%5C` in a path through instead of refusing them.',
    }),
    labels: Labels(),
  },
  { ...CLOSED, description: 'Which requests go where.' },
);

export const Routes = Type.Array(Route, { default: [], description: 'Which requests go where.' });

export type RawRoute = Static<typeof Route>;
export type RawTarget = Static<typeof TargetSchema>;
export type RawMirror = Static<typeof Mirror>;
