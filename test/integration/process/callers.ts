/** Clients that keep one connection each, and see which worker answers on it. */
import { once } from 'node:events';
import { request as requestHttp1, Agent, type IncomingMessage } from 'node:http';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { Agent as SecureAgent, request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Process id, as `telling-plugin.ts` says it. */
  readonly worker: number;
  /** That its plugin was made with. */
  readonly word: string;
}

export interface Caller {
  ask(path?: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): void;
}

/** To a listener of this port; the connection is made with the first request. */
export type OpenCaller = (port: number) => Caller;

/** The ways to speak with a listener, those of https self-signed. */
export const CALLERS = {
  'HTTP/1.1': (port) => openHttp1(port, false),
  'HTTP/2': (port) => openHttp2(`http://127.0.0.1:${port}`),
  'HTTP/1.1 over TLS': (port) => openHttp1(port, true),
  'HTTP/2 over TLS': (port) => openHttp2(`https://localhost:${port}`),
} as const satisfies Record<string, OpenCaller>;

function openHttp1(port: number, isSecure: boolean): Caller {
  const one = { keepAlive: true, maxSockets: 1 };
  const agent = isSecure ? new SecureAgent({ ...one, rejectUnauthorized: false }) : new Agent(one);
  const send = isSecure ? requestHttps : requestHttp1;
  return owned({
    async ask(path = '/', headers = {}) {
      const asked = send({ host: '127.0.0.1', port, path, headers, agent }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      return toAnswer(response.statusCode, response.headers, await text(response));
    },
    close: () => agent.destroy(),
  });
}

function openHttp2(url: string): Caller {
  const session = connectHttp2(url, { rejectUnauthorized: false });
  // Told by the streams that it breaks.
  session.on('error', () => undefined);
  return owned({
    async ask(path = '/', headers = {}) {
      const stream = session.request({ ':path': path, ...headers });
      const [fields] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      return toAnswer(Number(fields[':status']), fields, await text(stream));
    },
    close: () => session.destroy(),
  });
}

function owned(caller: Caller): Caller {
  onTestFinished(() => caller.close());
  return caller;
}

function toAnswer(
  status: number | undefined,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
): Answer {
  return {
    status: status ?? 0,
    body,
    worker: Number(headers['x-worker']),
    word: String(headers['x-word']),
  };
}

export interface PlacedCaller extends Caller {
  /** That has its connection. */
  readonly worker: number;
}

/** One after the other: each goes to the worker that has the fewest. */
export async function openCallers(
  port: number,
  count: number,
  open: OpenCaller = CALLERS['HTTP/1.1'],
): Promise<PlacedCaller[]> {
  const callers: PlacedCaller[] = [];
  for (let i = 0; i < count; i++) {
    const caller = open(port);
    callers.push({ ...caller, worker: (await caller.ask()).worker });
  }
  return callers;
}

/** One at each of two workers. */
export async function openPair(port: number): Promise<readonly [PlacedCaller, PlacedCaller]> {
  for (;;) {
    // Where the supervisor has not been told of all that have ended, one may get more than its share.
    const [a, ...others] = await openCallers(port, 4);
    const b = others.find(({ worker }) => worker !== a!.worker);
    if (b !== undefined) return [a!, b];
  }
}
