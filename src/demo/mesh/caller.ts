/** A client that asks a gateway all the time, and counts who answered. */
import { Agent, get } from 'node:http';

export interface Tally {
  /** By the name of the instance. */
  readonly answers: ReadonlyMap<string, number>;
  readonly failed: number;
}

export interface Caller {
  /** Since the last time it was asked. */
  take(): Tally;
  readonly total: number;
  readonly failed: number;
  stop(): void;
}

const EVERY_MS = 20;

/** Fifty requests a second. */
export function startCaller(port: number): Caller {
  const agent = new Agent({ keepAlive: true });
  let answers = new Map<string, number>();
  let failedSince = 0;
  let failed = 0;
  let total = 0;

  function ask(): void {
    const request = get({ host: '127.0.0.1', port, path: '/orders/1', agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', fail);
      answer.once('end', () => {
        if (answer.statusCode !== 200) return fail();
        const { servedBy } = JSON.parse(Buffer.concat(chunks).toString()) as { servedBy: string };
        answers.set(servedBy, (answers.get(servedBy) ?? 0) + 1);
        total++;
      });
    });
    request.once('error', fail);
  }

  function fail(): void {
    total++;
    failed++;
    failedSince++;
  }

  const timer = setInterval(ask, EVERY_MS);
  return {
    take() {
      const tally = { answers, failed: failedSince };
      answers = new Map();
      failedSince = 0;
      return tally;
    },
    get total() {
      return total;
    },
    get failed() {
      return failed;
    },
    stop() {
      clearInterval(timer);
      agent.destroy();
    },
  };
}
