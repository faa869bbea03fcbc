/** A worker's part in one service of the supervisor. */
import type { ToFollower } from './endpoint-messages.ts';
import type { LedService } from './led-service.ts';

export class WorkerPart {
  /** The worker's number for the service. */
  readonly id: number;
  readonly key: string;
  readonly send: (message: ToFollower) => void;
  /** Undefined as long as the supervisor has no such service. */
  led: LedService | undefined;
  /** It knows all endpoints and needs the changes alone. */
  isTold = false;
  /** Its requests in flight, by endpoint; those with none are left out. */
  readonly active = new Map<number, number>();
  /** Of a service that is there because workers follow it. */
  letGo: (() => void) | undefined;

  constructor(id: number, key: string, send: (message: ToFollower) => void) {
    this.id = id;
    this.key = key;
    this.send = send;
  }
}
