/** A mesh dispatcher over services of a test, and a handler that writes down what it hears. */
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Service } from '../../../src/mesh/service/service.ts';
import { MeshDispatcher } from '../../../src/mesh/service/mesh-dispatcher.ts';
import { readBody, type OriginHandler } from '../../contracts/upstream-origin.ts';

export function createTestDispatcher(...services: readonly Service[]): MeshDispatcher {
  return new MeshDispatcher({ resolve: (name) => services.find((one) => one.name === name) });
}

export interface EchoedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers with what it was sent, as JSON. */
export const echo: OriginHandler = ({ request, response }) => {
  const { method, url, headers } = request;
  void readBody(request).then(
    (body) => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-twice': ['one', 'two'] });
      response.end(JSON.stringify({ method, url, headers, body }));
    },
    () => {},
  );
};

/** A handler of today's undici. */
export class HandlerRecorder implements Dispatcher.DispatchHandler {
  readonly calls: string[] = [];
  controller: Dispatcher.DispatchController | undefined;
  status = 0;
  headers: Record<string, string | string[] | undefined> = {};
  trailers: Record<string, string | string[] | undefined> = {};
  text = '';
  error: Error | undefined;
  socket: Duplex | undefined;
  /** Called at each step, after it is recorded; what it throws the handler throws. */
  onStep: ((step: string) => void) | undefined;
  readonly #over = Promise.withResolvers<this>();

  /** Resolves at the end, an upgrade or an error. */
  get over(): Promise<this> {
    return this.#over.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    this.#record('start');
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: HandlerRecorder['headers'],
  ): void {
    this.status = status;
    this.headers = headers;
    this.#record(status < 200 ? `informational ${status}` : 'head');
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.text += chunk.toString('latin1');
    if (this.calls.at(-1) !== 'data') this.#record('data');
  }

  onResponseEnd(
    _controller: Dispatcher.DispatchController,
    trailers: HandlerRecorder['trailers'],
  ): void {
    this.trailers = trailers;
    this.#record('end');
    this.#over.resolve(this);
  }

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: HandlerRecorder['headers'],
    socket: Duplex,
  ): void {
    this.status = status;
    this.headers = headers;
    this.socket = socket;
    this.#record('upgrade');
    this.#over.resolve(this);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.error = error;
    this.#record('error');
    this.#over.resolve(this);
  }

  #record(step: string): void {
    this.calls.push(step);
    this.onStep?.(step);
  }
}

export function dispatch(
  dispatcher: Dispatcher,
  options: Partial<Dispatcher.DispatchOptions> = {},
  handler: HandlerRecorder = new HandlerRecorder(),
): HandlerRecorder {
  dispatcher.dispatch(
    { origin: 'http://orders.mesh', path: '/', method: 'GET', ...options },
    handler,
  );
  return handler;
}
