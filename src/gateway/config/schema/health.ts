/** The schemas of a service's `healthCheck` and `outlierDetection`: which endpoints are well. */
import { Type, type Static } from 'typebox';
import { Duration } from '../../../plugins/sdk/quantity.ts';
import { CLOSED, Text } from './scalar.ts';

const threshold = (value: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: 100, default: value, description });

export const HealthCheck = Type.Object(
  {
    http: Type.Optional(
      Type.Object(
        {
          path: Type.String({
            pattern: '^/[^#\\s]*$',
            examples: ['/healthz'],
            default: '/',
            description: 'Path and query to ask for.',
          }),
          host: Type.Optional(Text("The Host field. Default: the endpoint's address.")),
        },
        { ...CLOSED, description: 'By GET: 2xx passes, 429 changes nothing, else fails.' },
      ),
    ),
    tcp: Type.Optional(Type.Object({}, { ...CLOSED, description: 'By opening a connection.' })),
    grpc: Type.Optional(
      Type.Object(
        {
          service: Type.String({
            default: '',
            description: 'The gRPC service to ask about. Default: the server as a whole.',
          }),
        },
        {
          ...CLOSED,
          description: 'By `grpc.health.v1`; for the protocols `auto`, `h2c` and `h2`.',
        },
      ),
    ),
    interval: Duration({ default: '5s', description: 'Between two looks at an endpoint.' }),
    timeout: Duration({ default: '1s', description: 'For one look.' }),
    healthyThreshold: threshold(2, 'Passes in a row until it is healthy again.'),
    unhealthyThreshold: threshold(
      3,
      'Failures in a row until it is unhealthy. The very first look decides alone.',
    ),
  },
  { ...CLOSED, description: 'Looks at every endpoint time and again. Default: none.' },
);

const inARow = (value: number | false, description: string) =>
  Type.Union([Type.Literal(false), Type.Integer({ minimum: 1, maximum: 1_000_000 })], {
    default: value,
    description: `${description} in a row; \`false\`: do not mind.`,
  });

const minimumHosts = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  default: 5,
  description: 'Endpoints with enough requests that it takes.',
});

const requestVolume = (value: number) =>
  Type.Integer({
    minimum: 1,
    maximum: 1_000_000_000,
    default: value,
    description: 'Requests in an interval that are enough.',
  });

const OutlierRules = Type.Object(
  {
    consecutive5xx: inARow(5, 'Answers 5xx and failures'),
    consecutiveGatewayFailure: inARow(false, 'Answers 502, 503, 504 and failures'),
    consecutiveLocalOriginFailure: inARow(5, 'Tries without an answer'),
    interval: Duration({ default: '10s', description: 'Between two looks at all endpoints.' }),
    baseEjectionTime: Duration({
      default: '30s',
      description: 'How long an endpoint is put aside, times how often it has been.',
    }),
    maxEjectionTime: Duration({ default: '300s', description: 'At most.' }),
    maxEjectionPercent: Type.Number({
      minimum: 0,
      maximum: 100,
      default: 10,
      description: 'Of the endpoints, at one time; one always may be.',
    }),
    successRate: Type.Union(
      [
        Type.Literal(false),
        Type.Object(
          {
            minimumHosts,
            requestVolume: requestVolume(100),
            stdevFactor: Type.Number({
              minimum: 0,
              maximum: 100,
              default: 1.9,
              description: 'Standard deviations below the mean.',
            }),
          },
          CLOSED,
        ),
      ],
      { default: {}, description: 'Success far below that of the others; `false`: do not mind.' },
    ),
    failurePercentage: Type.Union(
      [
        Type.Literal(false),
        Type.Object(
          {
            threshold: Type.Number({
              minimum: 0,
              maximum: 100,
              default: 85,
              description: 'Failures in a hundred.',
            }),
            minimumHosts,
            requestVolume: requestVolume(50),
          },
          CLOSED,
        ),
      ],
      { default: false, description: 'Failures beyond a fixed share; `false`: do not mind.' },
    ),
  },
  CLOSED,
);

export const OutlierDetection = Type.Union([Type.Literal(false), OutlierRules], {
  default: {},
  description: 'Puts endpoints aside for a while whose requests fail; `false`: never.',
});

export type RawHealthCheck = Static<typeof HealthCheck>;
export type RawOutlierDetection = Static<typeof OutlierDetection>;
