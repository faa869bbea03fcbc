/** The demo's service `users`: `/users`, `/users/<id>`, and an echo for WebSockets at `/ws`. */
import type { Server } from 'node:http';
import { toInstanceName, type DemoInstance } from './instances.ts';
import { parseCount, pathSteps, sendJson } from './json-answer.ts';
import { acceptEcho } from './websocket-echo.ts';

const USERS = new Map([
  ['1', { id: '1', name: 'Ada' }],
  ['2', { id: '2', name: 'Grace' }],
  ['3', { id: '3', name: 'Edsger' }],
]);

export function serveUsers(server: Server, instance: DemoInstance): void {
  const servedBy = toInstanceName(instance);
  server.on('request', (request, response) => {
    const [root, id, ...rest] = pathSteps(request.url);
    const user = id === undefined ? undefined : USERS.get(id);
    if (root !== 'users' || rest.length > 0) sendJson(response, 404, { error: 'no such path' });
    else if (id === undefined) sendJson(response, 200, { users: [...USERS.values()], servedBy });
    else if (user === undefined) sendJson(response, 404, { error: 'no such user', servedBy });
    else sendJson(response, 200, { ...user, servedBy });
  });
  server.on('upgrade', (request, socket, head) => {
    const greeting = `hello from ${servedBy}`;
    acceptEcho(request, socket, head, { greeting, count: parseCount(request.url) });
  });
}
