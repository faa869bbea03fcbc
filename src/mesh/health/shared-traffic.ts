/** Traffic reports of one service in the backplane, and what is worked out from all nodes' reports. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Backplane } from '../backplane/backplane.ts';
import { LEASE_MS } from '../backplane/timing.ts';
import { stepFactors, type WeightFactor } from './adaptive-weight.ts';
import { combineVoices, gatherVoices, type CombinedTraffic } from './combined-traffic.ts';
import { toFactorsValue } from './factor-record.ts';
import { FACTORS_ID, type HeardHealth } from './heard-health.ts';
import type { TrafficByEndpoint } from './quorum-ejections.ts';
import { parseTrafficReport, toTrafficValue, type TrafficReport } from './traffic-report.ts';

/** Endpoints between two looks at what else is to be done: about 2 ms. */
const SLICE = 500;

export class SharedTraffic {
  readonly #backplane: Pick<Backplane, 'report' | 'reports' | 'change'>;
  readonly #space: string;

  constructor(backplane: Pick<Backplane, 'report' | 'reports' | 'change'>, space: string) {
    this.#backplane = backplane;
    this.#space = space;
  }

  async report(from: string, report: TrafficReport): Promise<void> {
    await this.#backplane.report(this.#space, from, toTrafficValue(report), LEASE_MS);
  }

  /** Which nodes have requests for which endpoints. */
  async byEndpoint(): Promise<TrafficByEndpoint> {
    const by = new Map<string, Set<string>>();
    for (const { node, endpoints } of await this.#read()) {
      for (const { id } of endpoints) {
        const nodes = by.get(id);
        if (nodes === undefined) by.set(id, new Set([node]));
        else nodes.add(node);
      }
    }
    return by;
  }

  /**
   * Moves the factors for all nodes: they are the same everywhere because they are one record,
   * and no two steps start from the same one.
   */
  async stepFactors({ factors, factorsGeneration }: HeardHealth): Promise<void> {
    const next = stepFactors(await this.#combine(), factors);
    if (isSame(next, factors)) return;
    const when =
      factorsGeneration === undefined
        ? { absent: true as const }
        : { generation: factorsGeneration };
    await this.#backplane.change(this.#space, [
      { type: 'put', kind: 'hint', id: FACTORS_ID, value: toFactorsValue(next), when },
    ]);
  }

  async #combine(): Promise<ReadonlyMap<string, CombinedTraffic>> {
    const combined = new Map<string, CombinedTraffic>();
    for (const [id, voices] of gatherVoices(await this.#read())) {
      if (combined.size % SLICE === SLICE - 1) await nextTurn();
      combined.set(id, combineVoices(voices));
    }
    return combined;
  }

  async #read(): Promise<readonly TrafficReport[]> {
    const reports = await this.#backplane.reports(this.#space);
    return reports
      .map(({ value }) => parseTrafficReport(value))
      .filter((report) => report !== undefined);
  }
}

/** The reason alone moves nothing: its figures differ at every step. */
function isSame(
  one: ReadonlyMap<string, WeightFactor>,
  other: ReadonlyMap<string, WeightFactor>,
): boolean {
  if (one.size !== other.size) return false;
  return [...one].every(([id, { factor }]) => other.get(id)?.factor === factor);
}
