/** The schema of a configuration file as a whole. */
import { Type, type Static } from 'typebox';
import { Backplane } from './backplane.ts';
import { Certificates } from './certificate.ts';
import { Consumers } from './consumer.ts';
import { Listeners } from './listener.ts';
import { Outbound, Register } from './mesh-doors.ts';
import { Node } from './node.ts';
import { PluginList } from './plugin-list.ts';
import { Routes } from './route.ts';
import { Address, CLOSED, Size, Text } from './scalar.ts';
import { Services } from './service.ts';
import { Telemetry } from './telemetry.ts';

/** Beside the file. */
export const DEFAULT_DATA_DIR = './.meshgate';

const Status = Type.Object(
  {
    address: Type.Unsafe<string>({
      ...Address('Address and port of probes and metrics.'),
      default: '127.0.0.1:8007',
    }),
  },
  { ...CLOSED, default: {}, description: 'Probes and metrics.' },
);

const Admin = Type.Object(
  {
    address: Type.Unsafe<string>({
      ...Address(
        'Address and port of the admin API. Its callers need a token, and there is no TLS: keep it on loopback unless the network in between is trusted.',
      ),
      default: '127.0.0.1:8001',
    }),
    limits: Type.Object(
      {
        body: Size({
          default: '8MiB',
          description:
            'Size of a whole configuration that is sent, at most 32MiB; over it: 413. Requests wait while its text is parsed, some ten milliseconds a MiB. What else is sent has lower limits of its own.',
        }),
      },
      { ...CLOSED, default: {}, description: 'What the admin API takes.' },
    ),
  },
  { ...CLOSED, default: {}, description: 'The admin API, and what the command line talks to.' },
);

export const Document = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'Where editors find this schema.' })),
    meshgate: Type.Literal(1, { description: 'Version of the format.' }),
    node: Node,
    dataDir: Type.Unsafe<string>({
      ...Text('Where state is kept. Relative paths are relative to this file.'),
      default: DEFAULT_DATA_DIR,
    }),
    backplane: Backplane,
    listeners: Listeners,
    trustedProxies: Type.Array(
      Type.String({ minLength: 1, examples: ['10.0.0.0/8', '192.0.2.1'] }),
      {
        default: [],
        description: 'Networks whose forwarding headers are believed. Default: none.',
      },
    ),
    register: Register,
    outbound: Type.Optional(Outbound),
    services: Services,
    routes: Routes,
    plugins: PluginList("Run on every route, before the route's own."),
    consumers: Consumers,
    certificates: Certificates,
    admin: Admin,
    status: Status,
    telemetry: Telemetry,
  },
  { ...CLOSED, title: 'Meshgate configuration' },
);

/** A file's content once it has met the schema: defaults filled in, sugar still there. */
export type RawDocument = Static<typeof Document>;
