/** Active checks of one service: looks at each endpoint in turn of its own, and keeps what it found. */
import { setHealth, type Endpoint } from '../endpoint.ts';
import {
  createCheckHistory,
  judgeCheck,
  type CheckHistory,
  type CheckThresholds,
} from './check-verdict.ts';
import type { Probe, ProbeAttempt, ProbeReport } from './probe.ts';

export interface CheckRules extends CheckThresholds {
  /** Between two looks at an endpoint; default 5 s. */
  readonly intervalMs: number;
  /** For a look; default 1 s. */
  readonly timeoutMs: number;
}

export interface CheckEnvironment {
  readonly monotonic: () => number;
  readonly random: () => number;
  /** Whether this node is the one that checks an endpoint; others hear of its verdict. */
  readonly isOwn: (endpoint: Endpoint) => boolean;
  /** After a change of `healthy`. */
  readonly onChanged: (endpoint: Endpoint, report: ProbeReport) => void;
  readonly onPassed: (endpoint: Endpoint) => void;
}

/** An endpoint under watch. */
interface Watch {
  readonly endpoint: Endpoint;
  readonly history: CheckHistory;
  timer: NodeJS.Timeout | undefined;
  attempt: ProbeAttempt | undefined;
  /** Monotonic, of the last result; undefined before there is one. */
  checkedAtMs: number | undefined;
  /** For people, of the last result. */
  detail: string;
  /** Others have doubts about it. */
  isSuspect: boolean;
}

/** A result older than so many intervals says nothing any more. */
const FRESH_INTERVALS = 3;
/** An endpoint in doubt is looked at so many times as often. */
const SUSPECT_HASTE = 5;

/** Intervals vary by so much, so that nodes and endpoints fall out of step. */
const JITTER = 0.1;
/** First looks come soon, but those at many endpoints not all at once. */
const FIRST_SPREAD_MS = 5;

export class ActiveChecks {
  readonly #probe: Probe;
  readonly #rules: CheckRules;
  readonly #environment: CheckEnvironment;
  readonly #watches = new Map<Endpoint, Watch>();
  #isStopped = false;

  constructor(probe: Probe, rules: CheckRules, environment: CheckEnvironment) {
    this.#probe = probe;
    this.#rules = rules;
    this.#environment = environment;
  }

  /** The endpoints from now on; what is known of those that stay is kept. */
  update(endpoints: readonly Endpoint[]): void {
    if (this.#isStopped) return;
    const leaving = new Set(this.#watches.keys());
    const { intervalMs } = this.#rules;
    const spreadMs = Math.min(intervalMs, endpoints.length * FIRST_SPREAD_MS);
    for (const endpoint of endpoints) {
      if (leaving.delete(endpoint)) continue;
      const history = createCheckHistory();
      const watch: Watch = {
        endpoint,
        history,
        timer: undefined,
        attempt: undefined,
        checkedAtMs: undefined,
        detail: '',
        isSuspect: false,
      };
      this.#watches.set(endpoint, watch);
      this.#later(watch, this.#environment.random() * spreadMs);
    }
    for (const endpoint of leaving) this.#forget(endpoint);
  }

  /** The verdict of another node on an endpoint that is its to check; `detail` as a probe's. */
  adopt(endpoint: Endpoint, healthy: boolean, detail: string): void {
    const watch = this.#watches.get(endpoint);
    if (watch === undefined) return;
    // Should it become this node's to check, a single look must not overturn the verdict.
    watch.history.last = healthy ? 'pass' : 'fail';
    watch.history.run = 0;
    if (endpoint.healthy === healthy) return;
    const { monotonic, onChanged } = this.#environment;
    setHealth(endpoint, { healthy }, monotonic());
    onChanged(endpoint, { result: watch.history.last, detail });
  }

  /** Others have doubts about it, or no longer: it is looked at now if it is this node's to check, and more often. */
  suspect(endpoint: Endpoint, isSuspect: boolean): void {
    const watch = this.#watches.get(endpoint);
    if (watch === undefined || watch.isSuspect === isSuspect) return;
    watch.isSuspect = isSuspect;
    if (!isSuspect || watch.attempt !== undefined) return;
    clearTimeout(watch.timer);
    this.#look(watch);
  }

  /** Endpoints that this node looked at itself within the last three intervals. */
  *checked(): Generator<Endpoint> {
    const sinceMs = this.#environment.monotonic() - FRESH_INTERVALS * this.#rules.intervalMs;
    for (const { endpoint, checkedAtMs } of this.#watches.values()) {
      if (checkedAtMs !== undefined && checkedAtMs >= sinceMs) yield endpoint;
    }
  }

  /** What failed looks said, for people. */
  detailOf(endpoint: Endpoint): string {
    return this.#watches.get(endpoint)?.detail ?? '';
  }

  stop(): void {
    this.#isStopped = true;
    for (const endpoint of this.#watches.keys()) this.#forget(endpoint);
  }

  #forget(endpoint: Endpoint): void {
    const watch = this.#watches.get(endpoint);
    this.#watches.delete(endpoint);
    clearTimeout(watch?.timer);
    watch?.attempt?.cancel();
  }

  #later(watch: Watch, delayMs: number): void {
    watch.timer = setTimeout(() => this.#look(watch), delayMs).unref();
  }

  #look(watch: Watch): void {
    const startedAtMs = this.#environment.monotonic();
    if (!this.#environment.isOwn(watch.endpoint)) {
      this.#again(watch, startedAtMs);
      return;
    }
    watch.attempt = this.#probe(watch.endpoint.spec, this.#rules.timeoutMs, (report) => {
      watch.attempt = undefined;
      this.#again(watch, startedAtMs);
      this.#note(watch, report);
    });
  }

  /** A look that took long does not put off the next one. */
  #again(watch: Watch, startedAtMs: number): void {
    const { monotonic, random } = this.#environment;
    const haste = watch.isSuspect ? SUSPECT_HASTE : 1;
    const intervalMs = (this.#rules.intervalMs / haste) * (1 - JITTER + 2 * JITTER * random());
    this.#later(watch, Math.max(0, startedAtMs + intervalMs - monotonic()));
  }

  #note(watch: Watch, report: ProbeReport): void {
    const { endpoint, history } = watch;
    const { monotonic, onChanged, onPassed } = this.#environment;
    watch.checkedAtMs = monotonic();
    watch.detail = report.detail;
    const healthy = judgeCheck(history, report.result, endpoint.healthy, this.#rules);
    if (healthy !== endpoint.healthy) {
      setHealth(endpoint, { healthy }, monotonic());
      onChanged(endpoint, report);
    }
    if (report.result === 'pass') onPassed(endpoint);
  }
}
