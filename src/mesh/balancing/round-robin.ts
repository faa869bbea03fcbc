/** round-robin: smooth weighted, as in nginx, so a heavy endpoint's turns are spread and not in a row. */
import type { Endpoint } from '../endpoint.ts';
import type { BalancingPolicy, PolicyFactory } from './policy.ts';

interface Turn {
  readonly endpoint: Endpoint;
  /** As of the last update; the total must agree with it. */
  readonly weight: number;
  /** What the endpoint has saved up; the largest, with its weight added, goes next. */
  current: number;
}

function totalOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/**
 * Savings are of the order of the total weight. Carried over as they are, those from a time
 * of larger weights would starve an endpoint, or feed it alone, for as many rounds.
 */
function carryOver(before: readonly Turn[], endpoints: readonly Endpoint[]): Turn[] {
  const scale =
    totalOf(endpoints.map(({ weight }) => weight)) / totalOf(before.map(({ weight }) => weight));
  const savings = new Map(before.map((turn) => [turn.endpoint, turn.current * scale]));
  return endpoints.map((endpoint) => ({
    endpoint,
    weight: endpoint.weight,
    current: savings.get(endpoint) ?? 0,
  }));
}

/**
 * Weights 5, 1, 1 give a a b a c a a. Every pick adds its weight to each endpoint's
 * savings, takes the richest (the first on ties) and makes it pay the total.
 * Source: nginx, ngx_http_upstream_get_peer; excluded endpoints neither save nor pay there.
 */
export const createRoundRobin: PolicyFactory = (): BalancingPolicy => {
  let turns: Turn[] = [];

  function choose(exclude: readonly Endpoint[]): Turn | undefined {
    let best: Turn | undefined;
    let most = -Infinity;
    for (const turn of turns) {
      if (exclude.length > 0 && exclude.includes(turn.endpoint)) continue;
      const savings = turn.current + turn.weight;
      if (savings <= most) continue;
      most = savings;
      best = turn;
    }
    return best;
  }

  return {
    update(endpoints) {
      turns = carryOver(turns, endpoints);
    },
    pick({ exclude }) {
      const chosen = choose(exclude);
      if (chosen === undefined) return undefined;
      let total = 0;
      for (const turn of turns) {
        if (exclude.length > 0 && exclude.includes(turn.endpoint)) continue;
        turn.current += turn.weight;
        total += turn.weight;
      }
      chosen.current -= total;
      return chosen.endpoint;
    },
    explain({ exclude }) {
      const chosen = choose(exclude);
      if (chosen === undefined) return undefined;
      return {
        endpoint: chosen.endpoint,
        reason: `round-robin: its turn among ${turns.length}, weight ${chosen.weight}`,
      };
    },
  };
};
