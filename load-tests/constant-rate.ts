/** Requests at a constant rate, whether or not the answers keep up. */
import { Agent, get } from 'node:http';

export interface ConstantRateOptions {
  readonly url: string;
  /** The paths are asked for in turn. */
  readonly paths: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
  readonly connections: number;
}

export interface ConstantRateResult {
  /** From the moment a request was due to the end of its answer, in microseconds. */
  readonly latenciesUs: readonly number[];
  readonly failed: number;
}

const TICK_MS = 1;

/**
 * wrk waits for an answer before it asks again, so that while a proxy stands still it asks for
 * little, and hardly notices. Here each request has its time, and what comes late counts as late.
 */
export async function runConstantRate(options: ConstantRateOptions): Promise<ConstantRateResult> {
  const { url, paths, perSecond, seconds, connections } = options;
  const total = Math.floor(perSecond * seconds);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latenciesUs: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const startMs = performance.now();
  let sent = 0;
  let failed = 0;
  const settle = (dueMs: number, good: boolean) => {
    if (good) latenciesUs.push((performance.now() - dueMs) * 1000);
    else failed += 1;
    if (latenciesUs.length + failed === total) resolve();
  };
  const ask = (path: string, dueMs: number) => {
    const request = get(url + path, { agent }, (answer) => {
      answer.once('end', () => settle(dueMs, answer.statusCode === 200));
      answer.once('error', () => settle(dueMs, false));
      answer.resume();
    });
    request.once('error', () => settle(dueMs, false));
  };
  const ticker = setInterval(() => {
    const due = Math.min(total, ((performance.now() - startMs) * perSecond) / 1000);
    for (; sent < due; sent++)
      ask(paths[sent % paths.length]!, startMs + (sent * 1000) / perSecond);
    if (sent === total) clearInterval(ticker);
  }, TICK_MS);
  await promise;
  agent.destroy();
  return { latenciesUs, failed };
}
