/** Callers that keep asking at their own pace, and remember every request that went wrong. */
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface SteadyLoadOptions {
  /** A caller goes on to the next where one refuses the connection or ends it, as behind a load balancer. */
  readonly ports: readonly number[];
  /** The Host field; default: the address. */
  readonly host?: string;
  /** Default `/`. */
  readonly path?: string;
  /** Default GET. */
  readonly method?: 'GET' | 'POST';
  /** Default 4. */
  readonly callers?: number;
}

export interface SteadyLoad {
  /** Answered with 200, by who answered. */
  readonly answers: ReadonlyMap<string, number>;
  readonly succeeded: number;
  /** In words. */
  readonly failures: readonly string[];
  /** Of one caller. */
  readonly mostFailuresOfACaller: number;
  /** Resolves when so many more have been answered. */
  more(count: number): Promise<void>;
  /** Resolves when each of `names` has answered, and nobody else, `count` times in a row. */
  onlyBy(names: readonly string[], count?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Between two requests of a caller: many processes share the machine. */
const THINK_MS = 25;

export function startSteadyLoad(options: SteadyLoadOptions): SteadyLoad {
  const { ports, callers = 4, method = 'GET', host, path = '/' } = options;
  const answers = new Map<string, number>();
  const failures: string[] = [];
  const failuresOf = Array.from({ length: callers }, () => 0);
  const recent: string[] = [];
  const waiting = new Set<() => void>();
  const stopping = new AbortController();
  let succeeded = 0;

  async function call(caller: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = caller; !stopping.signal.aborted;) {
      const port = ports[turn % ports.length]!;
      try {
        const answer = await ask({ port, method, host, path, agent });
        if (answer !== undefined) note(answer.name);
        if (answer?.isLast === true) turn++;
      } catch (error) {
        if (isNeverSent(error)) {
          turn++;
          if (ports.length === 1) fail(caller, error);
        } else fail(caller, error);
      }
      for (const look of waiting) look();
      await pause(THINK_MS);
    }
    agent.destroy();
  }

  function note(name: string): void {
    succeeded++;
    answers.set(name, (answers.get(name) ?? 0) + 1);
    recent.push(name);
  }

  function fail(caller: number, error: unknown): void {
    failuresOf[caller]!++;
    const { name, message } = error as Error;
    failures.push(`${new Date().toISOString()} ${name} ${message}`);
  }

  function until(holds: () => boolean): Promise<void> {
    return new Promise((reached) => {
      const look = (): void => {
        if (!holds()) return;
        waiting.delete(look);
        reached();
      };
      waiting.add(look);
      look();
    });
  }

  const all = Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  const load: SteadyLoad = {
    answers,
    failures,
    get succeeded() {
      return succeeded;
    },
    get mostFailuresOfACaller() {
      return Math.max(...failuresOf);
    },
    more(count) {
      const goal = succeeded + count;
      return until(() => succeeded >= goal);
    },
    onlyBy(names, count = 40) {
      recent.length = 0;
      const wanted = new Set(names);
      return until(() => {
        const last = recent.slice(-count);
        const seen = new Set(last);
        return last.length === count && seen.size === wanted.size && wanted.isSupersetOf(seen);
      });
    },
    async stop() {
      stopping.abort();
      await all;
    },
  };
  onTestFinished(() => load.stop());
  return load;
}

interface Answered {
  readonly name: string;
  /** The connection ends with it. */
  readonly isLast: boolean;
}

interface Asked {
  readonly port: number;
  readonly method: 'GET' | 'POST';
  readonly host: string | undefined;
  readonly path: string;
  readonly agent: Agent;
}

/** Undefined: the request was shed. */
async function ask({ port, method, host, path, agent }: Asked): Promise<Answered | undefined> {
  const asked = request({
    host: '127.0.0.1',
    port,
    path,
    method,
    agent,
    ...(host !== undefined && { headers: { host } }),
  });
  asked.end(method === 'POST' ? 'an order' : undefined);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const name = await text(response);
  // A machine that is busy with other tests makes a node shed load, which is not what is tested here.
  if (response.statusCode === 503 && name.includes('"code":"overloaded"')) return undefined;
  if (response.statusCode !== 200) {
    const reason = String(response.headers['proxy-status'] ?? '');
    throw new Error(`answered ${response.statusCode} ${reason}: ${name}`);
  }
  return { name, isLast: response.headers.connection === 'close' };
}

/** Nobody listens there: a load balancer goes on to the next. */
function isNeverSent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
}
