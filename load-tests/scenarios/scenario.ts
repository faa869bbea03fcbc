/** A scenario, and what it yields. */
import type { BenchContext } from '../bench-context.ts';

export interface Scenario {
  readonly name: string;
  /** One sentence for the documentation. */
  readonly summary: string;
  run(context: BenchContext): Promise<ScenarioResult>;
}

export interface ScenarioResult {
  /** The first row has the titles. */
  readonly table: readonly (readonly string[])[];
  /** What has to be known to read the table. */
  readonly notes: readonly string[];
  /** What went wrong; with any, the figures prove nothing. */
  readonly failures: readonly string[];
  /** Everything that was measured, for the JSON file. */
  readonly data: unknown;
}

/** Of a scenario of Meshgate's own, where that is left out. */
export const NOT_MEASURED: ScenarioResult = {
  table: [],
  notes: ['Not measured: meshgate was left out or is not there.'],
  failures: [],
  data: {},
};
