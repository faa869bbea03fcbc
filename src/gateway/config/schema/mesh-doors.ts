/** The schemas of `register` and `outbound`: what makes a node a node proxy. */
import { Type, type Static } from 'typebox';
import { HealthCheck } from './health.ts';
import { Address, CLOSED, Text, TextMap } from './scalar.ts';

const SERVICE_NAME = '^[A-Za-z0-9_.-]{1,100}$';

const MeshServiceName = (description: string) =>
  Type.String({ pattern: SERVICE_NAME, examples: ['orders'], description });

const RegisteredInstance = Type.Object(
  {
    service: MeshServiceName('Name under which others call it: `http://<service>.mesh/`.'),
    address: Address('Where the application listens.'),
    inbound: Type.Optional(
      Address(
        'The inbound door: where this node takes the calls of others and passes them to the application. Default: none, others call the application itself.',
      ),
    ),
    advertise: Type.Optional(
      Address(
        "What others are told to connect to. Default: the inbound door's (or the application's) port on the address by which this machine reaches the backplane.",
      ),
    ),
    id: Type.Optional(
      Text('Id of the instance, the same after a restart. Default: the advertised address.'),
    ),
    protocol: Type.Enum(['auto', 'http1', 'h2c'], {
      default: 'auto',
      description:
        'What the application speaks. `auto`: HTTP/2 (h2c) for gRPC, HTTP/1.1 for everything else.',
    }),
    weight: Type.Number({
      minimum: 0,
      maximum: 1_000_000,
      default: 1,
      description: 'Share of the requests, in proportion to the others; 0: none.',
    }),
    priority: Type.Integer({
      minimum: 0,
      maximum: 127,
      default: 0,
      description: 'Lower is preferred; others are called when too few of it are well.',
    }),
    metadata: TextMap('What callers choose by, such as `version`; `zone` is where it is.'),
    healthCheck: Type.Optional(HealthCheck),
  },
  { ...CLOSED, description: 'One instance of a service, beside this node.' },
);

export const Register = Type.Array(RegisteredInstance, {
  default: [],
  description:
    'Instances that this node registers in the mesh once their health check (default: TCP) passes, drains before they go, and takes out.',
});

export const Outbound = Type.Object(
  {
    address: Type.Unsafe<string>({
      ...Address('Where applications of this machine call `http://<service>.mesh/`.'),
      default: '127.0.0.1:4140',
    }),
    services: Type.Optional(
      Type.Array(MeshServiceName('A service that may be called.'), {
        uniqueItems: true,
        description: 'Only these, found before the first call. Default: any of the mesh.',
      }),
    ),
  },
  {
    ...CLOSED,
    description:
      'The outbound door: applications reach services of the mesh through it, by `http_proxy` or by the Host field.',
  },
);

export type RawRegisteredInstance = Static<typeof RegisteredInstance>;
export type RawOutbound = Static<typeof Outbound>;
