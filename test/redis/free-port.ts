/** Ports that nobody listens on. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below those that the system gives to outgoing connections (from 32768): one of these could take a port
 * between its being found free and its use. A Redis of a cluster also takes the port 10,000 above its own.
 */
const FIRST_PORT = 10_000;
/** For each worker of the tests, so that two never find the same one. */
const PORTS_PER_WORKER = 1_000;
const WORKERS = 10;

const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS;
/** Goes round, so that one that was just let go of is not taken again at once. */
let turn = process.pid;

/** No two are the same. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > PORTS_PER_WORKER) throw new Error('no port is free');
    const port = FIRST_PORT + worker * PORTS_PER_WORKER + (turn++ % PORTS_PER_WORKER);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** One that was free a moment ago, and stays the caller's: nobody else is given it for a while. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
