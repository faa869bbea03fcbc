/** The demo's service `users`: `/users`, `/users/<id>`, `/users/<id>/orders`, and an echo for WebSockets at `/ws`. */
import { get, type Server, type ServerResponse } from 'node:http';
import { toInstanceName, type DemoInstance } from './instances.ts';
import { parseCount, pathSteps, sendJson } from './json-answer.ts';
import { acceptEcho } from './websocket-echo.ts';

const USERS = new Map([
  ['1', { id: '1', name: 'Ada' }],
  ['2', { id: '2', name: 'Grace' }],
  ['3', { id: '3', name: 'Edsger' }],
]);

/** A node's outbound door. */
export interface OutboundDoor {
  readonly host: string;
  readonly port: number;
}

export function serveUsers(server: Server, instance: DemoInstance, door: OutboundDoor): void {
  const servedBy = toInstanceName(instance);
  server.on('request', (request, response) => {
    const [root, id, ...rest] = pathSteps(request.url);
    const user = id === undefined ? undefined : USERS.get(id);
    const asksOrders = rest.length === 1 && rest[0] === 'orders';
    if (root !== 'users' || (rest.length > 0 && !asksOrders)) {
      sendJson(response, 404, { error: 'no such path' });
      return;
    }
    if (id === undefined) sendJson(response, 200, { users: [...USERS.values()], servedBy });
    else if (user === undefined) sendJson(response, 404, { error: 'no such user', servedBy });
    else if (asksOrders) sendOrders(response, door, { ...user, servedBy });
    else sendJson(response, 200, { ...user, servedBy });
  });
  server.on('upgrade', (request, socket, head) => {
    const greeting = `hello from ${servedBy}`;
    acceptEcho(request, socket, head, { greeting, count: parseCount(request.url) });
  });
}

/** Asks the other service through the mesh, as any client with `http_proxy` does (RFC 9112 §3.2.2). */
function sendOrders(response: ServerResponse, { host, port }: OutboundDoor, user: object): void {
  const request = get({ host, port, path: 'http://orders.mesh/orders' }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.once('error', failed);
    answer.once('end', () => {
      if (answer.statusCode === 200) {
        const ordersAnswered: unknown = JSON.parse(Buffer.concat(chunks).toString());
        sendJson(response, 200, { ...user, ordersAnswered });
      } else failed(new Error(`orders answered ${answer.statusCode}`));
    });
  });
  request.once('error', failed);

  function failed({ message }: Error): void {
    sendJson(response, 502, { ...user, error: message });
  }
}
