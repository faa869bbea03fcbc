/** The service behind the gateway: answers, keeps waiting, or speaks WebSocket. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { OnEnd } from './gateway-process.ts';

export interface Origin {
  readonly port: number;
  /** Resolves with the response to a request for `/slow…` once it has arrived; it is the test's to end. */
  slowRequest(): Promise<ServerResponse>;
}

/** Answers `ok` and its name to all but `/slow…`; gone when the test has finished. */
export async function startOrigin(name = 'origin', onEnd: OnEnd = onTestFinished): Promise<Origin> {
  const waiting: ServerResponse[] = [];
  const wanted: ((response: ServerResponse) => void)[] = [];
  const server = createServer((request, response) => {
    request.resume();
    if (request.url?.startsWith('/slow') === true) {
      const taker = wanted.shift();
      if (taker === undefined) waiting.push(response);
      else taker(response);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain', 'x-origin': name });
    response.end(`ok ${name}`);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onEnd(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  return {
    port: (server.address() as AddressInfo).port,
    slowRequest() {
      const response = waiting.shift();
      if (response !== undefined) return Promise.resolve(response);
      return new Promise((found) => wanted.push(found));
    },
  };
}
