import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import {
  createFolder,
  startMeshgate,
  toConfig,
  writeConfig,
  type GatewayProcess,
} from './gateway-process.ts';
import { startLoad } from './load.ts';
import { startOrigin, type Origin } from './origin.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const BAD = ['throws', 'rejects', 'hangs', 'leaks', 'rejects-late', 'explodes'];

interface Running {
  readonly gateway: GatewayProcess;
  readonly origin: Origin;
}

/** Each bad plugin is on a route of its own, `/throws` and so on; the rest has none. */
async function startWithBadPlugins(): Promise<Running> {
  const origin = await startOrigin();
  const routes = [
    ...BAD.map((name) => ({
      name,
      match: [{ path: `/${name}` }],
      to: 'app',
      plugins: [{ [name]: {} }],
    })),
    { name: 'app', match: [{ path: '/*' }], to: 'app' },
  ];
  const file = await writeConfig(await createFolder(), toConfig(origin.port, { routes }));
  const preload = join(import.meta.dirname, 'bad-plugins.ts');
  return { gateway: await startMeshgate(file, { preload }), origin };
}

async function ask(
  gateway: GatewayProcess,
  path: string,
): Promise<{ status: number; body: string }> {
  const asked = get(`${gateway.url}${path}`, { agent: false });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode!, body: await text(response) };
}

describe('a bad plugin', () => {
  it('fails its own requests, by throwing, rejecting, hanging or leaking; the process lives', async () => {
    const { gateway } = await startWithBadPlugins();
    const load = startLoad({ port: gateway.portOf('http'), http1: 1 });
    for (const name of ['throws', 'rejects', 'hangs', 'rejects-late']) {
      const { status, body } = await ask(gateway, `/${name}`);
      expect([name, status]).toEqual([name, 500]);
      expect(JSON.parse(body)).toMatchObject({ code: 'plugin_failed', source: 'gateway' });
      expect(body).not.toMatch(/hook|deadline/);
    }
    // What it did wrong is no part of the exchange.
    expect(await ask(gateway, '/leaks')).toEqual({ status: 200, body: 'ok origin' });
    await gateway.program.said('stderr', /leaked by the hook.*nobody handled it/);
    expect(await gateway.metric('meshgate_unhandled_rejections_total')).toBe(1);

    await load.more(20);
    await load.stop();
    expect(load.failures).toEqual([]);
    gateway.program.signal('SIGTERM');
    expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
  });

  it('that throws where nobody can catch it ends the process with 1, once it has drained', async () => {
    const { gateway, origin } = await startWithBadPlugins();
    const slow = ask(gateway, '/slow');
    const held = await origin.slowRequest();
    const exploded = ask(gateway, '/explodes');
    await gateway.program.said(
      'stderr',
      /nobody can catch it.*an unexpected error ends the process/,
    );
    expect((await exploded).status).toBe(200);
    expect((await gateway.readiness()).report.status).toBe('draining');
    held.end('ok');
    expect(await slow).toEqual({ status: 200, body: 'ok' });
    expect(await gateway.program.ended).toEqual({ code: 1, signal: null });
  });
});
