/** The schema of `hedge`, of a service. */
import { Type, type Static } from 'typebox';
import { Duration } from '../../../plugins/sdk/quantity.ts';
import { CLOSED } from './scalar.ts';

export const Hedge = Type.Object(
  {
    percentile: Type.Number({
      minimum: 0.5,
      maximum: 0.999,
      default: 0.95,
      description: "A try slower than this share of its endpoint's recent answers is hedged.",
    }),
    minDelay: Duration({ default: '10ms', description: 'Never sooner than this.' }),
    attempts: Type.Integer({
      minimum: 1,
      maximum: 4,
      default: 1,
      description: 'Hedges to one request.',
    }),
  },
  {
    ...CLOSED,
    description:
      'A second try at another endpoint beside one that is slow; the first answer wins, the other try is cancelled. For idempotent methods, within the budget of `retry`. Absent: none.',
  },
);

export type RawHedge = Static<typeof Hedge>;
