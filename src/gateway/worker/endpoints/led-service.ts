/** One service of the supervisor: tells the workers of its endpoints, and hears what became of their tries. */
import type { Schedule } from '../../../mesh/backplane/schedule.ts';
import type { Endpoint } from '../../../mesh/endpoint.ts';
import type { OutlierDetector } from '../../../mesh/health/outlier-detector.ts';
import type { ToFollower } from './endpoint-messages.ts';
import { FailureRounds } from './failure-rounds.ts';
import { ToldEndpoints } from './told-endpoints.ts';
import type { Report } from './try-replay.ts';
import type { WorkerPart } from './worker-part.ts';

/** What is needed of a service whose endpoints are found and judged here; `Service` is one. */
export interface JudgedService {
  readonly endpoints: readonly Endpoint[];
  readonly isDiscovered: boolean;
  readonly adaptiveWeights: boolean;
  readonly health: { readonly outliers: OutlierDetector | undefined };
  listen(listener: () => void): () => void;
}

export interface LedEnvironment {
  readonly monotonic: () => number;
  readonly nextRef: () => number;
  readonly schedule: Schedule;
}

export class LedService {
  readonly service: JudgedService;
  readonly #told: ToldEndpoints;
  readonly #rounds: FailureRounds;
  readonly #parts = new Set<WorkerPart>();
  readonly #unlisten: () => void;
  #turn: NodeJS.Immediate | undefined;

  constructor(service: JudgedService, { monotonic, nextRef, schedule }: LedEnvironment) {
    this.service = service;
    this.#told = new ToldEndpoints(nextRef, monotonic);
    this.#rounds = new FailureRounds({
      outliers: service.health.outliers,
      find: (ref) => this.#told.find(ref),
      parts: this.#parts,
      monotonic,
      schedule,
    });
    this.#unlisten = service.listen(() => this.#tellSoon());
  }

  join(part: WorkerPart): void {
    part.led = this;
    part.isTold = false;
    this.#parts.add(part);
    if (this.service.isDiscovered) this.#tell();
    else part.send({ kind: 'awaited', id: part.id });
  }

  /** What it had in flight is over, or nobody's business any more. */
  leave(part: WorkerPart): void {
    this.#parts.delete(part);
    this.#rounds.leave(part);
    this.#release(part);
  }

  hear(report: Report): void {
    this.#rounds.hear(report);
    // How long its answers usually take is worked out from these, now and then.
    if (this.service.adaptiveWeights) this.#tellSoon();
  }

  stop(): void {
    this.#unlisten();
    clearImmediate(this.#turn);
    this.#rounds.stop();
    for (const part of this.#parts) this.#release(part);
    this.#parts.clear();
  }

  #release(part: WorkerPart): void {
    part.led = undefined;
    for (const [ref, active] of part.active) {
      const endpoint = this.#told.find(ref);
      if (endpoint !== undefined) endpoint.active -= active;
    }
    part.active.clear();
  }

  /** Once a turn of the event loop, for however many changes. */
  #tellSoon(): void {
    this.#turn ??= setImmediate(() => this.#tell());
  }

  #tell(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    if (!this.service.isDiscovered) return;
    const changes = this.#told.update(this.service.endpoints);
    for (const part of this.#parts) {
      for (const ref of changes?.removed ?? []) part.active.delete(ref);
      const message = this.#messageFor(part, changes);
      if (message !== undefined) part.send(message);
    }
  }

  #messageFor(
    part: WorkerPart,
    changes: ReturnType<ToldEndpoints['update']>,
  ): ToFollower | undefined {
    const { id } = part;
    if (part.isTold) return changes && { kind: 'changes', id, changes };
    part.isTold = true;
    return { kind: 'endpoints', id, endpoints: this.#told.whole() };
  }
}
