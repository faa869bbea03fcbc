/** The schema of `listeners`: the doors that clients come in by. */
import { Type, type Static } from 'typebox';
import { Duration } from '../../../plugins/sdk/quantity.ts';
import { Address, CLOSED, Name, Size } from './scalar.ts';
import { ListenerTls } from './listener-tls.ts';
import { Hosts } from './match.ts';
import { RedirectStatusSchema } from './redirect-status.ts';

const ListenerLimits = Type.Object(
  {
    headers: Size({
      default: '32KiB',
      description: "Size of a request's header fields; over it: 431.",
    }),
    headerFields: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 100,
      description: 'Number of header fields; over it: 431.',
    }),
    url: Size({ default: '8KiB', description: 'Size of the request target; over it: 414.' }),
    body: Size({
      default: '10MiB',
      description: 'Size of a request body; over it: 413. 0: no limit.',
    }),
    headerTimeout: Duration({
      default: '10s',
      description: "From the first byte to a request's complete head.",
    }),
    idleTimeout: Duration({
      default: '60s',
      description: 'Between two requests of a connection, and between two pieces of a body.',
    }),
    minBodyRate: Size({
      default: '240',
      description:
        'Bytes per second that a request body comes at, at least: on average, after 10 seconds, and only while it is waited for; slower: 408. Not for HTTP/2 bodies without Content-Length, which are streams, nor once the answer has begun. 0: no limit.',
    }),
    connections: Type.Integer({
      minimum: 1,
      maximum: 10_000_000,
      default: 10_000,
      description: 'Connections open at once; more are closed at once.',
    }),
    streams: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 100,
      description: 'HTTP/2 streams open at once on one connection.',
    }),
    requestsPerConnection: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      default: 0,
      description: 'Requests after which a connection is closed. 0: no limit.',
    }),
    drain: Duration({
      default: '30s',
      description: 'How long requests in flight may go on when the listener stops.',
    }),
  },
  { ...CLOSED, default: {}, description: 'What one client may ask for.' },
);

const RedirectHttps = Type.Union(
  [
    Type.Boolean(),
    Type.Object(
      {
        port: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 65_535,
            description:
              'Port to send clients to. Default: that of the first https listener, else 443.',
          }),
        ),
        status: RedirectStatusSchema(308),
      },
      CLOSED,
    ),
  ],
  { default: false, description: 'Answer every request with a redirect to https.' },
);

export const Listener = Type.Object(
  {
    name: Name('Name, for routes and metrics.'),
    address: Type.Optional(
      Address(
        'Address and port to listen on. Default: `0.0.0.0:8000` for http, `0.0.0.0:8443` for https.',
      ),
    ),
    protocol: Type.Enum(['http', 'https'], {
      default: 'http',
      description:
        '`http`: HTTP/1.1, and HTTP/2 by prior knowledge. `https`: HTTP/1.1 and HTTP/2 by ALPN.',
    }),
    hosts: Type.Optional(
      Hosts(
        'Only these names. A request for one that is in the `hosts` of another listener is answered with 421, for any other with 404.',
      ),
    ),
    redirectHttps: RedirectHttps,
    proxyProtocol: Type.Boolean({
      default: false,
      description: 'Connections begin with a PROXY protocol header, version 1 or 2.',
    }),
    lane: Type.Enum(['auto', 'full'], {
      default: 'auto',
      description:
        'What serves HTTP/1.1. `auto`: plain requests straight on the socket, everything else by the full HTTP stack. `full`: everything by the full stack; for finding out where a difference comes from.',
    }),
    limits: ListenerLimits,
    tls: Type.Optional(ListenerTls),
  },
  { ...CLOSED, description: 'A door that clients come in by.' },
);

export const Listeners = Type.Array(Listener, {
  default: [
    { name: 'http' },
    { name: 'https', protocol: 'https', tls: { selfSigned: ['localhost'] } },
  ],
  description:
    'The doors that clients come in by. Without a setting a node with `register` or `outbound` has none.',
});

export type RawListener = Static<typeof Listener>;
