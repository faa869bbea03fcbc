/** The demo's service `orders` in a process of its own: `application.ts VERSION PORT`. */
import { serveOrders } from '../orders-service.ts';
import { startListening } from '../listening.ts';

const [version, port] = process.argv.slice(2) as ['v1' | 'v2', string];
const { server, instance } = await startListening({
  service: 'orders',
  version,
  port: Number(port),
});
serveOrders(server, instance);
process.stdout.write('listens\n');
