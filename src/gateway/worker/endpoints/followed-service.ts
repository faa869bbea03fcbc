/** One service of a worker, as the supervisor tells of it. */
import type { Following, FollowingService } from '../../../mesh/service/following.ts';
import type { FromFollower, SeenTries, ToFollower } from './endpoint-messages.ts';
import { FollowedEndpoints, type ListChange } from './followed-endpoints.ts';
import { TryRecorder } from './try-recorder.ts';

export interface FollowedServiceOptions {
  readonly name: string;
  /** The same for the same configuration: the supervisor knows the service by it. */
  readonly key: string;
  /** No configuration names it: the supervisor makes it, for as long as a worker follows it. */
  readonly isUndeclared: boolean;
  /** It has outlier detection. */
  readonly isJudged: boolean;
}

export interface FollowedServiceEnvironment {
  readonly id: number;
  readonly monotonic: () => number;
  readonly send: (message: FromFollower) => void;
  readonly onStarted: (service: FollowedService) => void;
  readonly onStopped: (service: FollowedService) => void;
  /** What is untold is to be told within this turn of the event loop. */
  readonly onFailure: () => void;
}

export class FollowedService implements Following {
  readonly id: number;
  readonly tries: TryRecorder;
  /** The supervisor has said which endpoints there are, or that it is waiting to hear itself. */
  isAnswered = false;
  readonly #options: FollowedServiceOptions;
  readonly #environment: FollowedServiceEnvironment;
  readonly #endpoints: FollowedEndpoints;
  #service: FollowingService | undefined;

  constructor(options: FollowedServiceOptions, environment: FollowedServiceEnvironment) {
    const { id, monotonic, onFailure } = environment;
    this.id = id;
    this.#options = options;
    this.#environment = environment;
    this.#endpoints = new FollowedEndpoints(monotonic);
    this.tries = new TryRecorder({
      endpoints: this.#endpoints,
      isJudged: options.isJudged,
      onFailure,
      onFull: () => this.tell(),
    });
  }

  start(service: FollowingService): void {
    this.#service = service;
    const { name, key, isUndeclared } = this.#options;
    const { onStarted, send } = this.#environment;
    onStarted(this);
    send({ kind: 'follow', id: this.id, name, key, isUndeclared });
  }

  stop(): void {
    if (this.#service === undefined) return;
    this.tell();
    this.#service = undefined;
    const { onStopped, send } = this.#environment;
    send({ kind: 'unfollow', id: this.id });
    onStopped(this);
  }

  take(): SeenTries | undefined {
    return this.#service && this.tries.take(this.id, this.#service.isBusy());
  }

  /** All that is untold. */
  tell(): void {
    const seen = this.take();
    if (seen !== undefined) this.#environment.send({ kind: 'seen', seen: [seen] });
  }

  hear(message: ToFollower): void {
    switch (message.kind) {
      case 'endpoints':
        this.isAnswered = true;
        this.#use(this.#endpoints.takeWhole(message.endpoints));
        break;
      case 'awaited':
        this.isAnswered = true;
        break;
      case 'changes':
        this.#use(this.#endpoints.takeChanges(message.changes));
        break;
      case 'tell':
        this.#answer(message.round);
        break;
      default:
        message satisfies never;
    }
  }

  #use(change: ListChange): void {
    if (change === undefined) this.#service?.reweigh();
    else this.#service?.use(change.endpoints, change.removed);
  }

  #answer(round: number): void {
    const seen = this.take() ?? { id: this.id, failures: NO_ROWS, totals: NO_TOTALS };
    this.#environment.send({ kind: 'told', round, seen });
  }
}

const NO_ROWS = new Uint32Array(0);
const NO_TOTALS = new Float64Array(0);
