import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'undici';
import { describe, expect, it, vi } from 'vitest';
import {
  createFolder,
  eventually,
  startMeshgate,
  toConfig,
  writeConfig,
  type GatewayProcess,
} from './gateway-process.ts';
import type { Census } from './introspection.ts';
import { startLoad } from './load.ts';
import { startOrigin } from './origin.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const MIB = 1024 * 1024;

async function startCounted(file: string): Promise<GatewayProcess> {
  return startMeshgate(file, {
    preload: join(import.meta.dirname, 'introspection.ts'),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

async function takeCensus({ program }: GatewayProcess): Promise<Census> {
  const answered = once(program.child, 'message');
  program.child.send('count');
  const [census] = (await answered) as [Census];
  return census;
}

/** Twenty at a time on one connection. */
async function askOften(url: string, times: number): Promise<void> {
  const client = new Client(url, { pipelining: 20 });
  let asked = 0;
  const ask = async (): Promise<void> => {
    while (asked++ < times) {
      const { statusCode, body } = await client.request({ method: 'GET', path: '/' });
      const text = await body.text();
      // An `expect` for each would take longer than the requests.
      if (statusCode !== 200 || text !== 'ok origin') throw new Error(`${statusCode} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, ask));
  await client.close();
}

describe('memory', () => {
  it('does not grow with the number of requests', async () => {
    const origin = await startOrigin();
    const gateway = await startCounted(
      await writeConfig(await createFolder(), toConfig(origin.port)),
    );
    await askOften(gateway.url, 5000);
    const before = await takeCensus(gateway);
    await askOften(gateway.url, 15_000);
    // An exchange ends a moment after its client has the answer.
    const after = await eventually(async () => {
      const census = await takeCensus(gateway);
      return census.exchanges === 0 ? census : undefined;
    });
    expect(after.heapBytes - before.heapBytes).toBeLessThan(4 * MIB);
    expect(after.rssBytes - before.rssBytes).toBeLessThan(64 * MIB);
  });

  it('keeps one snapshot and its services, however often the configuration changes', async () => {
    const origin = await startOrigin();
    const folder = await createFolder();
    const file = await writeConfig(folder, toConfig(origin.port));
    const gateway = await startCounted(file);
    const load = startLoad({ port: gateway.portOf('http'), http1: 1, http2: 0 });
    for (let revision = 2; revision <= 8; revision++) {
      // Another service each time: none may be kept alive by what was.
      const services = {
        app: {
          endpoints: [{ address: `127.0.0.1:${origin.port}` }],
          timeouts: { response: `${revision}s` },
        },
      };
      await writeFile(file, JSON.stringify(toConfig(origin.port, { services })));
      await gateway.reloaded((report) => report.revision === revision);
    }
    await load.more(1);
    await load.stop();
    expect(load.failures).toEqual([]);
    const census = await eventually(async () => {
      const found = await takeCensus(gateway);
      return found.exchanges === 0 ? found : undefined;
    });
    expect(census).toMatchObject({ snapshots: 1, services: 1 });
  });
});
