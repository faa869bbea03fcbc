/** The workers of a node: as many as are wanted, all with the same configuration, each replaced when it ends. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { NumberedConfig, PreparedListeners } from '../config/snapshot-slot.ts';
import type { HandOff } from './hand-off.ts';
import { restartDelayMs, STABLE_AFTER_MS } from './restart-delay.ts';
import { toSentConfig, type SentConfig } from './sent-config.ts';
import type { Worker, WorkerEvents, WorkerExit } from './worker.ts';

export interface WorkerSetOptions {
  /** How many. */
  readonly wanted: number;
  /** Starts a process from the files as they are now. */
  readonly spawn: (events: WorkerEvents) => Worker;
  /** It has ended, and nothing more is heard of it. */
  readonly onGone: (worker: Worker) => void;
  readonly onRestart: () => void;
  readonly handOff: HandOff;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly log: Log;
}

/** A place that one worker after the other has. */
interface Place {
  worker: Worker | undefined;
  startedAtMs: number;
  /** Deaths in a row, each soon after the start. */
  deaths: number;
  timer: NodeJS.Timeout | undefined;
}

export class WorkerSet {
  readonly #options: WorkerSetOptions;
  readonly #places: Place[];
  /** All that live, those that leave among them. */
  readonly #living = new Set<Worker>();
  /** Those that run the configuration in force, and have a say in the next one. */
  readonly #members = new Set<Worker>();
  #inForce: SentConfig | undefined;
  /** Resolves when no change is under way. */
  #changing: Promise<void> | undefined;
  #rolling: Promise<void> | undefined;
  #isStopping = false;

  constructor(options: WorkerSetOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.wanted }, () => ({
      worker: undefined,
      startedAtMs: 0,
      deaths: 0,
      timer: undefined,
    }));
  }

  get wanted(): number {
    return this.#options.wanted;
  }

  get ready(): number {
    return this.#places.filter(({ worker }) => worker?.isReady === true && !worker.isLeaving)
      .length;
  }

  /**
   * Has all workers make what `next` asks for; rejects with the reason, and nothing has changed,
   * where one of them refuses it. The first time it starts them. One that dies over it, or does
   * not answer, is replaced, and not waited for.
   */
  async prepare(next: NumberedConfig): Promise<PreparedListeners> {
    const { promise, resolve: settled } = Promise.withResolvers<void>();
    this.#changing = promise;
    const done = (): void => {
      this.#changing = undefined;
      settled();
    };
    try {
      const sent = toSentConfig(next, this.#options.handOff.ports);
      if (this.#inForce === undefined) this.#startAll();
      const asked = this.#inForce === undefined ? [...this.#living] : [...this.#members];
      const results = await Promise.all(asked.map((worker) => worker.prepare(sent)));
      const prepared = asked.filter((_worker, i) => results[i]!.outcome === 'prepared');
      const refusal = results.find((result) => result.outcome === 'refused');
      if (refusal !== undefined || (prepared.length === 0 && this.#inForce === undefined)) {
        for (const worker of prepared) worker.rollback(sent);
        throw new Error(refusal?.reason ?? 'no worker could be started');
      }
      return {
        commit: () => {
          const isFirst = this.#inForce === undefined;
          this.#inForce = sent;
          for (const worker of prepared) this.#commit(worker, sent);
          this.#options.handOff.settle();
          done();
          if (isFirst) for (const place of this.#places) this.#fillIfEmpty(place);
        },
        rollback: () => {
          for (const worker of prepared) worker.rollback(sent);
          done();
          return Promise.resolve();
        },
      };
    } catch (error) {
      done();
      throw error;
    }
  }

  /** Resolves when those that were started for the first configuration take connections. */
  async started(): Promise<void> {
    await Promise.all(Array.from(this.#members, (worker) => worker.untilReady()));
  }

  /** One listener's connections end, in all of them. */
  drain(key: string): void {
    for (const worker of this.#living) worker.drain(key);
  }

  /** To be called before listeners are drained: the node goes away, and replaces nobody any more. */
  stopping(): void {
    this.#isStopping = true;
    for (const { timer } of this.#places) clearTimeout(timer);
    for (const worker of this.#living) worker.tell({ type: 'stopping' });
  }

  reopen(): void {
    for (const worker of this.#living) worker.tell({ type: 'reopen' });
  }

  /** Once all is drained. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(Array.from(this.#living, (worker) => worker.end()));
  }

  /** All of them, now. */
  kill(): void {
    for (const worker of this.#living) worker.kill();
  }

  /**
   * Replaces them one after the other by processes started from the files on disk; each leaves
   * once another takes connections in its place. Where one cannot be replaced, the rest stay.
   */
  roll(): Promise<void> {
    return (this.#rolling ??= this.#roll().finally(() => {
      this.#rolling = undefined;
    }));
  }

  async #roll(): Promise<void> {
    const { log } = this.#options;
    log.info({ workers: this.wanted }, 'replacing the workers, one after the other');
    for (const place of this.#places) {
      const old = place.worker;
      if (this.#isStopping) return;
      // It is being replaced anyway.
      if (old === undefined || !old.isReady || old.isLeaving) continue;
      const next = this.#spawn(place);
      if (!(await this.#bringUp(next))) {
        if (this.#isStopping) return;
        log.error({ pid: next.pid }, 'a new worker could not be started; the others stay');
        return;
      }
      // Where the old one has ended meanwhile it has been replaced already.
      const leaving = place.worker === old ? old : next;
      if (leaving === old) this.#occupy(place, next);
      this.#dismiss(leaving);
      await leaving.leave();
    }
    log.info({ workers: this.wanted }, 'all workers have been replaced');
  }

  /** Those that have ended before there was anything to run, too. */
  #startAll(): void {
    for (const place of this.#places) {
      if (place.worker === undefined) this.#occupy(place, this.#spawn(place));
    }
  }

  #occupy(place: Place, worker: Worker): void {
    place.worker = worker;
    place.startedAtMs = this.#options.monotonic();
  }

  #spawn(place: Place): Worker {
    const worker = this.#options.spawn({
      onReady: (one) => this.#options.handOff.join(one),
      onLeaving: (one) => {
        this.#dismiss(one);
        if (place.worker === one) this.#replace(place);
      },
      onClosed: () => this.#options.handOff.changed(),
    });
    this.#living.add(worker);
    void worker.ended.then((exit) => this.#ended(place, worker, exit));
    return worker;
  }

  #ended(place: Place, worker: Worker, exit: WorkerExit): void {
    const { handOff, onGone, log } = this.#options;
    this.#living.delete(worker);
    this.#members.delete(worker);
    handOff.gone(worker);
    onGone(worker);
    if (worker.wasTold) return;
    log.error({ pid: worker.pid, ...exit }, 'a worker ended, and is replaced');
    if (place.worker === worker) this.#replace(place);
  }

  /** No more connections go to it. */
  #dismiss(worker: Worker): void {
    this.#members.delete(worker);
    this.#options.handOff.part(worker);
  }

  #replace(place: Place): void {
    const { monotonic, onRestart } = this.#options;
    place.worker = undefined;
    if (this.#isStopping) return;
    onRestart();
    const isStable = monotonic() - place.startedAtMs > STABLE_AFTER_MS;
    place.deaths = isStable ? 1 : place.deaths + 1;
    // Before the first configuration is in force there is nothing that a new one could run.
    if (this.#inForce === undefined) return;
    const delayMs = restartDelayMs(place.deaths, this.#options.random);
    clearTimeout(place.timer);
    place.timer = setTimeout(() => this.#fillIfEmpty(place), delayMs);
  }

  #fillIfEmpty(place: Place): void {
    if (place.worker !== undefined || this.#isStopping) return;
    const worker = this.#spawn(place);
    this.#occupy(place, worker);
    void this.#bringUp(worker);
  }

  /** Gives a new one what is in force; resolves to whether it takes connections. */
  async #bringUp(worker: Worker): Promise<boolean> {
    for (;;) {
      await this.#changing;
      const sent = this.#inForce!;
      const result = await worker.prepare(sent);
      if (result.outcome === 'gone') return false;
      if (result.outcome === 'refused') {
        const { log } = this.#options;
        log.error({ pid: worker.pid, reason: result.reason }, 'a new worker refused what runs');
        worker.kill();
        return false;
      }
      // Changed meanwhile, or about to be: it must not serve what nobody else serves any more.
      if (this.#changing !== undefined || sent !== this.#inForce) {
        worker.rollback(sent);
        continue;
      }
      this.#commit(worker, sent);
      return worker.untilReady();
    }
  }

  #commit(worker: Worker, sent: SentConfig): void {
    if (worker.isLeaving) return;
    worker.commit(sent);
    this.#members.add(worker);
  }
}
