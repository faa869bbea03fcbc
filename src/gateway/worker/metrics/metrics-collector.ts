/** The supervisor's side of metrics: those of its own and of all workers, as those of one node. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { scheduleTimer, type Schedule } from '../../../mesh/backplane/schedule.ts';
import type { Log } from '../../../plugins/sdk/plugin-context.ts';
import type { Link } from '../link.ts';
import { Departed, type GoneNames } from './departed.ts';
import { FamilySum } from './family-sum.ts';
import {
  toHead,
  toLines,
  type FamilyPart,
  type MetricsAsk,
  type MetricsPart,
} from './metric-family.ts';
import { readFamilies } from './read-families.ts';

export interface MetricsCollectorOptions {
  /** Of the supervisor itself. */
  readonly registry: Registry;
  readonly monotonic: () => number;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
  /** Lets others run; default: a turn of the event loop. */
  readonly pause?: () => Promise<unknown>;
}

export interface MetricsCollector {
  readonly contentType: string;
  /** The node's metrics as Prometheus reads them, with what workers have by now or, of one that is silent, had. */
  metrics(): Promise<string>;
  /** Counts a worker in. Returns its end: what it has told last goes on to count. */
  attach(link: Link<MetricsAsk, MetricsPart>): () => void;
  /** Names that a change of the configuration has taken away. */
  forget(names: GoneNames): void;
  /** Asks from now on every few seconds, so that little is lost with a worker. */
  start(): void;
  stop(): void;
}

/** A scrape waits no longer for a worker. */
const TOLD_WITHIN_MS = 1_000;
/** What a worker that is killed has counted since is lost. */
const ASK_EVERY_MS = 5_000;
/** Longer than this nobody else waits for a scrape. */
const PAUSE_AFTER_MS = 3;
/** A clock read costs little, but 200,000 of them do not. */
const SERIES_BETWEEN_LOOKS = 100;

interface Worker {
  readonly link: Link<MetricsAsk, MetricsPart>;
  /** All of what it told last. */
  told: readonly FamilyPart[];
  /** What it is telling now. */
  telling: FamilyPart[];
  toldAtMs: number;
  /** Ends with what was asked for; undefined while nothing is. */
  answer: Promise<void> | undefined;
  onTold: () => void;
}

export function createMetricsCollector(options: MetricsCollectorOptions): MetricsCollector {
  const { registry, monotonic, log, schedule = scheduleTimer, pause = nextTurn } = options;
  const workers = new Set<Worker>();
  const departed = new Departed();
  let callOff = (): void => {};
  let scraping: Promise<string> | undefined;

  function take(worker: Worker, { isFirst, isLast, families }: MetricsPart): void {
    if (isFirst) worker.telling = [];
    worker.telling.push(...families);
    if (!isLast) return;
    worker.told = worker.telling;
    worker.telling = [];
    worker.toldAtMs = monotonic();
    worker.onTold();
  }

  /** One that has not answered yet is not asked again. */
  function ask(worker: Worker): Promise<void> {
    worker.answer ??= new Promise((resolve) => {
      worker.onTold = () => {
        worker.answer = undefined;
        resolve();
      };
      worker.link.send('tell');
    });
    return worker.answer;
  }

  function askAll(): void {
    callOff = schedule(ASK_EVERY_MS, askAll);
    const sinceMs = monotonic() - ASK_EVERY_MS / 2;
    for (const worker of workers) if (worker.toldAtMs < sinceMs) void ask(worker);
  }

  /** Resolves when all have told, or have had the time to. */
  function hearAll(): Promise<void> {
    if (workers.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const callOffWaiting = schedule(TOLD_WITHIN_MS, resolve);
      void Promise.all(Array.from(workers, ask)).then(() => {
        callOffWaiting();
        resolve();
      });
    });
  }

  async function scrape(): Promise<string> {
    await hearAll();
    const sums = new Map<string, FamilySum>();
    const add = (part: FamilyPart): void => {
      const sum = sums.get(part.name) ?? new FamilySum(part);
      sums.set(part.name, sum);
      sum.add(part);
    };
    const rest = createRest(monotonic, pause);
    // The node's own first: where only its figures count, they are those of who told first.
    const onUnread = (metric: string, error: unknown): void =>
      log.warn({ err: error, metric }, 'a metric could not be read');
    for await (const part of readFamilies(registry, { onUnread })) {
      add(part);
      await rest(part.series.length);
    }
    for (const parts of [departed.parts(), ...Array.from(workers, ({ told }) => told)]) {
      for (const part of parts) {
        add(part);
        await rest(part.series.length);
      }
    }
    let text = '';
    for (const sum of sums.values()) {
      text += toHead(sum.head);
      for (const series of sum.series) {
        text += toLines(sum.head, series, sum.valuesOf(series));
        const due = rest(1);
        if (due !== undefined) await due;
      }
      text += '\n';
    }
    return text;
  }

  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    metrics() {
      scraping ??= scrape().finally(() => {
        scraping = undefined;
      });
      return scraping;
    },
    attach(link) {
      const worker: Worker = {
        link,
        told: [],
        telling: [],
        toldAtMs: -Infinity,
        answer: undefined,
        onTold: () => {},
      };
      workers.add(worker);
      link.receive((part) => take(worker, part));
      return () => {
        if (!workers.delete(worker)) return;
        departed.add(worker.told);
        worker.onTold();
      };
    },
    forget: (names) => departed.forget(names),
    start() {
      callOff = schedule(ASK_EVERY_MS, askAll);
    },
    stop: () => callOff(),
  };
}

/** What to wait for after so many series; undefined: for nothing yet. */
function createRest(
  monotonic: () => number,
  pause: () => Promise<unknown>,
): (series: number) => Promise<unknown> | undefined {
  let sinceMs = monotonic();
  let left = SERIES_BETWEEN_LOOKS;
  return (series) => {
    left -= series;
    if (left > 0) return undefined;
    left = SERIES_BETWEEN_LOOKS;
    if (monotonic() - sinceMs < PAUSE_AFTER_MS) return undefined;
    return pause().then(() => {
      sinceMs = monotonic();
    });
  };
}
