/** The services of a worker: follows what the supervisor says of their endpoints, and tells it what became of tries. */
import type { Following } from '../../../mesh/service/following.ts';
import type { ServiceConfig } from '../../config/service-config.ts';
import { keyOfService } from '../../config/service-key.ts';
import type { Link } from '../link.ts';
import type { FromFollower, SeenTries, ToFollower } from './endpoint-messages.ts';
import { FollowedService } from './followed-service.ts';

export interface FollowedServicesOptions {
  readonly link: Link<FromFollower, ToFollower>;
  readonly monotonic: () => number;
}

export interface FollowedServices {
  /**
   * For `ServiceSurroundings.follow`: one for each service that is made. `isUndeclared`: no
   * configuration names it, so the supervisor makes it for as long as a worker follows it.
   */
  follow(config: ServiceConfig, isUndeclared?: boolean): Following;
  /** Resolves when the supervisor has answered for every service that has started. */
  answered(): Promise<void>;
  /** Tells all that is untold, as before the process ends. */
  flush(): void;
  start(): void;
  stop(): void;
}

/** Answers and requests in flight are told so often; failures within the turn. */
const TELL_MS = 250;

export function createFollowedServices({
  link,
  monotonic,
}: FollowedServicesOptions): FollowedServices {
  const services = new Map<number, FollowedService>();
  let lastId = 0;
  let timer: NodeJS.Timeout | undefined;
  let turn: NodeJS.Immediate | undefined;
  let waiting: (() => void)[] = [];

  function flush(): void {
    clearImmediate(turn);
    turn = undefined;
    const seen: SeenTries[] = [];
    for (const service of services.values()) {
      const own = service.take();
      if (own !== undefined) seen.push(own);
    }
    if (seen.length > 0) link.send({ kind: 'seen', seen });
  }

  function isAllAnswered(): boolean {
    return services.values().every(({ isAnswered }) => isAnswered);
  }

  function settle(): void {
    if (waiting.length === 0 || !isAllAnswered()) return;
    const settled = waiting;
    waiting = [];
    for (const resolve of settled) resolve();
  }

  const environment = {
    monotonic,
    send: (message: FromFollower) => link.send(message),
    onStarted: (service: FollowedService) => void services.set(service.id, service),
    onStopped(service: FollowedService) {
      services.delete(service.id);
      settle();
    },
    onFailure: () => void (turn ??= setImmediate(flush)),
  };

  link.receive((message) => {
    // It may have been sent before the service was let go.
    services.get(message.id)?.hear(message);
    settle();
  });

  return {
    follow(config, isUndeclared = false) {
      const { name, outlierDetection } = config;
      const key = keyOfService(config);
      const isJudged = outlierDetection !== undefined;
      const options = { name, key, isUndeclared, isJudged };
      return new FollowedService(options, { id: ++lastId, ...environment });
    },
    answered: () =>
      isAllAnswered() ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
    flush,
    start: () => void (timer ??= setInterval(flush, TELL_MS).unref()),
    stop() {
      clearInterval(timer);
      clearImmediate(turn);
      timer = undefined;
      turn = undefined;
    },
  };
}
