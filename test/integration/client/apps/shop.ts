/** An application that calls `orders` all the time: `REDIS_PORT [DATA_DIR]`. Tells how it went on GET /. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createMesh } from '../../../../src/client/client.ts';

const [redisPort, dataDir] = process.argv.slice(2);
const mesh = createMesh({
  redis: `redis://127.0.0.1:${redisPort}`,
  dataDir,
  services: { orders: {} },
});

const answered: Record<string, number> = {};
const failures: string[] = [];
const isOver = new AbortController();

async function ask(method: string): Promise<void> {
  while (!isOver.signal.aborted) {
    try {
      const response = await fetch('http://orders.mesh/', {
        method,
        dispatcher: mesh.dispatcher,
        ...(method === 'POST' && { body: 'one more' }),
      });
      if (!response.ok) throw new Error(`answered ${response.status}`);
      const { name } = (await response.json()) as { name: string };
      answered[name] = (answered[name] ?? 0) + 1;
    } catch (error) {
      const cause = (error as Error).cause as { code?: string } | undefined;
      failures.push(`${method} ${cause?.code ?? String(error)}`);
    }
    await pause(1);
  }
}

const server = createServer((_request, response) => {
  response.end(JSON.stringify({ answered, failures, status: mesh.status() }));
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));

await mesh.ready({ services: ['orders'], timeoutMs: Number(process.env['READY_MS'] ?? 30_000) });
const callers = ['GET', 'GET', 'GET', 'POST', 'POST'].map(ask);
console.log(`calling ${(server.address() as AddressInfo).port}`);

async function leave(): Promise<void> {
  isOver.abort();
  await Promise.all(callers);
  server.close();
  server.closeAllConnections();
  await mesh.close();
}
process.once('SIGTERM', () => void leave());
