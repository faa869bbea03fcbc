/** The schema of `retry`, of a service and of a route. */
import { Type } from 'typebox';
import { Duration } from '../../../plugins/sdk/quantity.ts';
import { CLOSED, Share } from './scalar.ts';

const attempts = {
  minimum: 0,
  maximum: 10,
  description:
    'Extra tries; 0: none. Not counted, and so made with 0 too, is one try on a fresh connection where the upstream closed a kept one before any of its answer came (RFC 9112 §9.3.1): of GET, HEAD, OPTIONS, TRACE, PUT and DELETE while their body is at hand (64 KiB), and of any request of which nothing was sent.',
};
const perTryTimeout = 'Over one whole try; `0s`: none.';

const Conditions = (options: object) =>
  Type.Array(
    Type.Union([
      Type.Enum(['connect-failure', 'refused-stream', 'reset', 'timeout', '5xx']),
      Type.Integer({ minimum: 400, maximum: 599 }),
    ]),
    { ...options, description: 'What is tried again: a failure, a status, or every 5xx.' },
  );

export const ServiceRetry = Type.Object(
  {
    attempts: Type.Integer({ ...attempts, default: 1 }),
    on: Conditions({ default: ['connect-failure', 'refused-stream', 'reset', 502, 503, 504] }),
    perTryTimeout: Duration({ default: '0s', description: perTryTimeout }),
    budget: Type.Object(
      {
        ratio: Share({ default: 0.2, description: 'Retries per request, on average.' }),
        minPerSecond: Type.Number({
          minimum: 0,
          maximum: 1_000_000,
          default: 10,
          description: 'Retries per second that are always allowed.',
        }),
      },
      { ...CLOSED, default: {}, description: 'Keeps retries from becoming a flood.' },
    ),
  },
  {
    ...CLOSED,
    default: {},
    description: 'Another try at another endpoint; only where that is safe.',
  },
);

/** Without defaults: what is left out is as the service has it. */
export const RouteRetrySchema = Type.Object(
  {
    attempts: Type.Optional(Type.Integer(attempts)),
    on: Type.Optional(Conditions({})),
    perTryTimeout: Type.Optional(Duration({ description: perTryTimeout })),
  },
  {
    ...CLOSED,
    description: "In place of the service's; what is left out is as the service has it.",
  },
);
