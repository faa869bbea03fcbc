/** A service that registers itself, as its author would write it: `NAME REDIS_PORT`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMesh } from '../../../../src/client/client.ts';

const [name, redisPort] = process.argv.slice(2);
const mesh = createMesh({ redis: `redis://127.0.0.1:${redisPort}` });

const server = createServer((request, response) => {
  const answer = (): void => void response.end(JSON.stringify({ name, method: request.method }));
  // Long enough for some to be in flight whatever happens.
  request.resume().on('end', () => setTimeout(answer, request.method === 'POST' ? 20 : 2));
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
const { port } = server.address() as AddressInfo;

async function leave(): Promise<void> {
  await instance.drain();
  await new Promise((closed) => server.close(closed));
  await mesh.close();
  console.log('left');
}
process.once('SIGTERM', () => void leave());

const instance = await mesh.register({
  service: 'orders',
  address: `127.0.0.1:${port}`,
  metadata: { name: name! },
  healthCheck: { http: {}, intervalMs: 500 },
});
console.log(`registered ${instance.id}`);
