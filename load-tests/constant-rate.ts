/** Requests at a constant rate, whether or not the answers keep up. */
import { Agent, get } from 'node:http';
import type { Socket } from 'node:net';

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
  /** Connections that the other side ended meanwhile; what is kept beyond the end is not counted. */
  readonly closed: number;
}

const TICK_MS = 1;
/** A request without an answer by then has failed. */
const ANSWER_WITHIN_MS = 10_000;

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
  let closed = 0;
  const known = new WeakSet<Socket>();
  const watch = (socket: Socket) => {
    if (known.has(socket)) return;
    known.add(socket);
    const awaitClose = () =>
      socket.once('close', () => {
        closed += 1;
      });
    if (socket.connecting) socket.once('connect', awaitClose);
    else awaitClose();
  };
  const settle = (dueMs: number, good: boolean) => {
    if (good) latenciesUs.push((performance.now() - dueMs) * 1000);
    else failed += 1;
    if (latenciesUs.length + failed === total) resolve();
  };
  const ask = (path: string, dueMs: number) => {
    let isOpen = true;
    const end = (good: boolean) => {
      // One that breaks off in its answer may tell so twice.
      if (isOpen) settle(dueMs, good);
      isOpen = false;
    };
    const request = get(url + path, { agent, timeout: ANSWER_WITHIN_MS }, (answer) => {
      answer.once('end', () => end(answer.statusCode === 200));
      answer.once('error', () => end(false));
      answer.resume();
    });
    request.once('error', () => end(false));
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('socket', watch);
  };
  const ticker = setInterval(() => {
    const due = Math.min(total, ((performance.now() - startMs) * perSecond) / 1000);
    for (; sent < due; sent++)
      ask(paths[sent % paths.length]!, startMs + (sent * 1000) / perSecond);
    if (sent === total) clearInterval(ticker);
  }, TICK_MS);
  await promise;
  // Before the agent ends those that are left.
  const result = { latenciesUs, failed, closed };
  agent.destroy();
  return result;
}
