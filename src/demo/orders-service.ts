/** The demo's service `orders`: `/orders`, `/orders/<id>`, and server-sent events at `/events`. */
import type { Server } from 'node:http';
import { sendEvents } from './event-stream.ts';
import { toInstanceName, type DemoInstance } from './instances.ts';
import { parseCount, pathSteps, sendJson } from './json-answer.ts';

const ORDERS = new Map([
  ['1', { id: '1', item: 'lamp', amount: 49 }],
  ['2', { id: '2', item: 'desk', amount: 320 }],
]);

export function serveOrders(server: Server, instance: DemoInstance): void {
  const { version } = instance;
  const servedBy = toInstanceName(instance);
  server.on('request', (request, response) => {
    const [root, id, ...rest] = pathSteps(request.url);
    const order = id === undefined ? undefined : ORDERS.get(id);
    // The gateway has verified it; see `claimsToHeaders` in the configuration.
    const caller = request.headers['x-user'] ?? null;
    if (root === 'events' && id === undefined) {
      sendEvents(response, { count: parseCount(request.url), servedBy });
    } else if (root !== 'orders' || rest.length > 0) {
      sendJson(response, 404, { error: 'no such path' });
    } else if (id === undefined) {
      sendJson(response, 200, { orders: [...ORDERS.values()], caller, version, servedBy });
    } else if (order === undefined) {
      sendJson(response, 404, { error: 'no such order', servedBy });
    } else {
      sendJson(response, 200, { ...order, caller, version, servedBy });
    }
  });
}
