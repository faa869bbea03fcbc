import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from './gateway-process.ts';
import { startLoad } from './load.ts';
import { startWorkers, untilBothReady } from './workers-fixture.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** A connection for each, as a client that does not keep them. */
async function askAnew(url: string): Promise<string> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  return `${response.statusCode} ${await text(response)}`;
}

it('loses, with a worker that is killed under load, only the requests that it had', async () => {
  const node = await startWorkers();
  const { gateway } = node;
  const clients = 8;
  let failures = 0;
  let answers = 0;
  const over = new AbortController();
  const asking = Array.from({ length: clients }, async () => {
    while (!over.signal.aborted) {
      const answer = await askAnew(gateway.url).catch(() => 'lost');
      if (answer === '200 ok origin') answers++;
      else failures++;
    }
  });
  for (let kills = 1; kills <= 4; kills++) {
    await eventually(async () => (answers > kills * 100 ? true : undefined));
    const [victim] = await node.workers();
    process.kill(victim!, 'SIGKILL');
    await untilBothReady(node, [victim!]);
  }
  over.abort();
  await Promise.all(asking);
  // Of each client at most one was with the victim.
  expect(failures).toBeLessThanOrEqual(4 * clients);
  expect((await node.report()).restarts).toBe(4);
});

it('rolls three times under HTTP/1.1, HTTP/2 and new connections, and fails nobody', async () => {
  const node = await startWorkers();
  const { gateway } = node;
  const failures: string[] = [];
  const over = new AbortController();
  const newcomers = (async () => {
    while (!over.signal.aborted) {
      const answer = await askAnew(gateway.url).catch(String);
      if (answer !== '200 ok origin') failures.push(answer);
    }
  })();
  for (let round = 0; round < 3; round++) {
    const before = await node.workers();
    const load = startLoad({ port: gateway.portOf('http'), http1: 4, http2: 2 });
    const socket = new WebSocket(gateway.url.replace('http', 'ws'));
    await once(socket, 'open');
    await load.more(100);
    gateway.program.signal('SIGUSR2');
    expect((await once(socket, 'close'))[0]).toBe(1001);
    await untilBothReady(node, before);
    await load.stop();
    failures.push(...load.failures);
  }
  over.abort();
  await newcomers;
  expect(failures).toEqual([]);
});
