/** A backplane that answers as the test says, and remembers what it was asked. */
import type {
  Backplane,
  BackplaneStatus,
  ChangeOutcome,
  Mutation,
  Renewal,
  SpaceView,
} from '../../../src/mesh/backplane/backplane.ts';
import { BackplaneError } from '../../../src/mesh/backplane/backplane-error.ts';

export class ScriptedBackplane {
  readonly asked: string[] = [];
  readonly mutations: Mutation[] = [];
  /** Next answers; the last one stays. Undefined is no answer. */
  renewals: (Renewal | undefined)[] = ['renewed'];
  changes: (ChangeOutcome | undefined)[] = [];
  expiries: (readonly string[] | undefined)[] = [[]];
  turns: (boolean | undefined)[] = [true];
  statusNow: BackplaneStatus = { connected: true, sinceMs: -Infinity, stalenessMs: 0 };
  #listeners = new Set<() => void>();
  #generation = 0;

  /** Turns the connection, and tells. */
  connect(connected: boolean, sinceMs = -Infinity): void {
    this.statusNow = { connected, sinceMs, stalenessMs: 0 };
    for (const listener of this.#listeners) listener();
  }

  readonly port: Backplane = {
    start: async () => {},
    close: async () => {},
    status: () => this.statusNow,
    onStatus: (listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
    change: async (_, mutations) => {
      this.mutations.push(...mutations);
      const fallback = this.changes.length === 0 ? [this.#applied()] : this.changes;
      return this.#answer(mutations[0]!.type, fallback);
    },
    renew: async () => this.#answer('renew', this.renewals),
    expire: async (space, kind) => this.#answer(`expire ${space} ${kind}`, this.expiries),
    read: async () => this.#answer<SpaceView>('read', [undefined]),
    watch: () => () => {},
    report: async (space, id) => this.#answer(`report ${space} ${id}`, [undefined as void], true),
    reports: async () => [],
    takeTurn: async () => this.#answer('turn', this.turns),
    timeMs: async () => 0,
  };

  #applied(): ChangeOutcome {
    this.#generation += 1;
    return { applied: true, epoch: 'e', revision: 1, generations: [this.#generation] };
  }

  #answer<T>(what: string, answers: (T | undefined)[], isVoid = false): T {
    this.asked.push(what);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === undefined && !isVoid) throw new BackplaneError('unavailable', 'no answer');
    return answer as T;
  }
}

/** Lets everything that waits for a settled promise have its turn. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
