/** Ports of the loopback interface that nobody listens on. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** Several at once, and no two the same. */
export async function findFreePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let n = 0; n < count; n++) {
    const server = createServer().listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}
