/** The schema of `services`: what routes lead to. */
import { Type, type Static } from 'typebox';
import { Duration } from '../../../plugins/sdk/quantity.ts';
import { Balancer } from './balancer.ts';
import { Discover, Endpoint } from './endpoint.ts';
import { Hedge } from './hedge.ts';
import { HealthCheck, OutlierDetection } from './health.ts';
import { ServiceRetry } from './retry.ts';
import { PeerTlsSchema } from './peer-tls.ts';
import { CLOSED, Labels } from './scalar.ts';

const threshold = (description: string) =>
  Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1024, description });

const CircuitBreaker = Type.Object(
  {
    maxConnections: threshold('Connections to one endpoint.'),
    maxPending: threshold('Requests that wait for a connection.'),
    maxRequests: threshold('Requests in flight.'),
  },
  { ...CLOSED, default: {}, description: 'Over these, requests are refused at once.' },
);

const Timeouts = Type.Object(
  {
    connect: Duration({ default: '2s', description: 'To an open connection, TLS included.' }),
    response: Duration({ default: '15s', description: "To the answer's head; `0s`: none." }),
    idle: Duration({ default: '60s', description: 'Between two pieces of a body; `0s`: none.' }),
    keepAlive: Duration({
      default: '4s',
      description: "How long an idle connection is kept; shorter than the service's own.",
    }),
  },
  { ...CLOSED, default: {}, description: 'How long to wait for the service.' },
);

export const ServiceSchema = Type.Object(
  {
    endpoints: Type.Optional(
      Type.Array(Endpoint, { description: 'Its instances, where they are known beforehand.' }),
    ),
    discover: Type.Optional(Discover),
    protocol: Type.Optional(
      Type.Enum(['auto', 'http1', 'h2c', 'https', 'h2'], {
        description:
          '`auto`: plain, HTTP/2 (h2c) for gRPC and HTTP/1.1 for everything else. `http1`, `h2c`: plain. `https`: HTTP/1.1 over TLS. `h2`: HTTP/2 over TLS. Default: `auto` where it is discovered in the mesh, else `http1`.',
      }),
    ),
    tls: Type.Optional(
      PeerTlsSchema('TLS towards the service, for the protocols `https` and `h2`.'),
    ),
    balancer: Balancer,
    healthCheck: Type.Optional(HealthCheck),
    outlierDetection: OutlierDetection,
    adaptiveWeights: Type.Optional(
      Type.Boolean({
        description:
          'Whether endpoints that fail more, or answer later, than their peers get less, down to a tenth of their weight. Default: true with `discover.mesh`, false otherwise and with hashing policies.',
      }),
    ),
    circuitBreaker: CircuitBreaker,
    retry: ServiceRetry,
    hedge: Type.Optional(Hedge),
    timeouts: Timeouts,
    labels: Labels(),
  },
  { ...CLOSED, description: 'Something that routes lead to.' },
);

export const Services = Type.Record(Type.String(), ServiceSchema, {
  default: {},
  description: 'What routes lead to, by name.',
});

export type RawService = Static<typeof ServiceSchema>;
