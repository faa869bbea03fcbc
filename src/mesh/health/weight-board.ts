/** The factors in force on this node: brings them to the endpoints, and shows them with their reasons. */
import { setFactor, type Endpoint } from '../endpoint.ts';
import { MIN_FACTOR, WHOLE_WEIGHT, type WeightFactor } from './adaptive-weight.ts';

/** What an endpoint keeps of its weight while others have put it aside, and there is no quorum. */
const SUSPECT_FACTOR = 0.5;

/** An endpoint that gets less than its weight, or got less. */
export interface FactorView extends WeightFactor {
  readonly endpoint: string;
}

export class WeightBoard {
  readonly #onMoved: (view: FactorView) => void;
  #views: ReadonlyMap<string, FactorView> = new Map();

  /** `onMoved` hears each change of a factor, back to 1 included. */
  constructor(onMoved: (view: FactorView) => void) {
    this.#onMoved = onMoved;
  }

  /** Those below 1. */
  get views(): readonly FactorView[] {
    return [...this.#views.values()];
  }

  /** True where a weight changed. `suspects`: who says so, by endpoint. */
  apply(
    endpoints: readonly Endpoint[],
    factors: ReadonlyMap<string, WeightFactor>,
    suspects: ReadonlyMap<string, string> = new Map(),
  ): boolean {
    const views = new Map<string, FactorView>();
    let isChanged = false;
    for (const endpoint of endpoints) {
      const { id } = endpoint;
      const { factor, reason } = withSuspicion(factors.get(id) ?? WHOLE_WEIGHT, suspects.get(id));
      const view = { endpoint: id, factor, reason };
      if (factor < 1) views.set(id, view);
      if (endpoint.factor === factor) continue;
      setFactor(endpoint, factor);
      isChanged = true;
      this.#onMoved(view);
    }
    this.#views = views;
    return isChanged;
  }
}

function withSuspicion(known: WeightFactor, suspicion: string | undefined): WeightFactor {
  if (suspicion === undefined) return known;
  return {
    factor: Math.max(MIN_FACTOR, known.factor * SUSPECT_FACTOR),
    reason: known.reason === '' ? suspicion : `${known.reason}; ${suspicion}`,
  };
}
