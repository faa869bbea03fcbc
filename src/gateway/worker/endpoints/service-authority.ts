/** The services of the supervisor, as all workers follow them: what is found out and judged, once for the node. */
import { scheduleTimer, type Schedule } from '../../../mesh/backplane/schedule.ts';
import type { Link } from '../link.ts';
import type { FromFollower, SeenTries, ToFollower } from './endpoint-messages.ts';
import { LedService, type JudgedService, type LedEnvironment } from './led-service.ts';
import { WorkerPart } from './worker-part.ts';

export interface ServiceAuthorityOptions {
  readonly monotonic: () => number;
  /**
   * A worker follows a service of the mesh that no configuration names: makes it, which leads to
   * `add`, unless it is there; returns how to let go of it.
   */
  readonly holdUndeclared: (name: string) => () => void;
  readonly schedule?: Schedule | undefined;
}

export interface ServiceAuthority {
  /** A service is in use under this key (`keyOfService`), until it is removed. Workers may follow it already. */
  add(key: string, service: JudgedService): void;
  remove(key: string, service: JudgedService): void;
  /** A worker begins; returns how to forget it: it ended or died. */
  join(link: Link<ToFollower, FromFollower>): () => void;
}

/** After what has arrived meanwhile: a process that was kept busy has answers to read first. */
const scheduleLate: Schedule = (delayMs, run) => {
  let turn: NodeJS.Immediate | undefined;
  const callOff = scheduleTimer(delayMs, () => (turn = setImmediate(run)));
  return () => {
    callOff();
    clearImmediate(turn);
  };
};

export function createServiceAuthority({
  monotonic,
  holdUndeclared,
  schedule = scheduleLate,
}: ServiceAuthorityOptions): ServiceAuthority {
  let lastRef = 0;
  const environment: LedEnvironment = { monotonic, schedule, nextRef: () => ++lastRef };
  const led = new Map<string, LedService>();
  /** By key; of services that are yet to come, too. */
  const followers = new Map<string, Set<WorkerPart>>();

  function begin(part: WorkerPart): void {
    const { key } = part;
    let parts = followers.get(key);
    if (parts === undefined) followers.set(key, (parts = new Set()));
    parts.add(part);
    led.get(key)?.join(part);
  }

  function end(part: WorkerPart): void {
    const { key } = part;
    const parts = followers.get(key);
    parts?.delete(part);
    if (parts?.size === 0) followers.delete(key);
    led.get(key)?.leave(part);
    part.letGo?.();
  }

  return {
    add(key, service) {
      led.get(key)?.stop();
      const one = new LedService(service, environment);
      led.set(key, one);
      for (const part of followers.get(key) ?? []) one.join(part);
    },

    remove(key, service) {
      const one = led.get(key);
      if (one?.service !== service) return;
      one.stop();
      led.delete(key);
    },

    join(link) {
      const parts = new Map<number, WorkerPart>();
      let isGone = false;

      function follow({ id, key, name, isUndeclared }: FromFollower & { kind: 'follow' }): void {
        const part = new WorkerPart(id, key, (message) => {
          if (!isGone) link.send(message);
        });
        parts.set(id, part);
        begin(part);
        if (isUndeclared) part.letGo = holdUndeclared(name);
      }

      function unfollow(id: number): void {
        const part = parts.get(id);
        parts.delete(id);
        if (part !== undefined) end(part);
      }

      function hear(seen: SeenTries, round?: number): void {
        const part = parts.get(seen.id);
        part?.led?.hear({ part, seen, round });
      }

      link.receive((message) => {
        if (isGone) return;
        switch (message.kind) {
          case 'follow':
            follow(message);
            break;
          case 'unfollow':
            unfollow(message.id);
            break;
          case 'seen':
            for (const seen of message.seen) hear(seen);
            break;
          case 'told':
            hear(message.seen, message.round);
            break;
          default:
            message satisfies never;
        }
      });
      return () => {
        isGone = true;
        for (const part of parts.values()) end(part);
        parts.clear();
      };
    },
  };
}
