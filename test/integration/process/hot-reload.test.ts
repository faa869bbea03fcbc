import { once } from 'node:events';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { createFolder, startMeshgate, toConfig, type GatewayProcess } from './gateway-process.ts';
import { startLoad } from './load.ts';
import { startOrigin } from './origin.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** A way of putting another content where the configuration is. */
interface Deployment {
  readonly name: string;
  /** Returns the path to start with. */
  readonly first: (folder: string, content: string) => Promise<string>;
  readonly next: (folder: string, content: string) => Promise<void>;
}

const FILE = 'meshgate.yaml';

/** A Kubernetes volume: the file is a link through `..data`, and that is what is swapped. */
async function publish(folder: string, version: string, content: string): Promise<void> {
  await mkdir(join(folder, version));
  await writeFile(join(folder, version, FILE), content);
  await symlink(version, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
}

const DEPLOYMENTS: readonly Deployment[] = [
  {
    name: 'a rename',
    async first(folder, content) {
      await writeFile(join(folder, FILE), content);
      return join(folder, FILE);
    },
    async next(folder, content) {
      await writeFile(join(folder, `${FILE}.new`), content);
      await rename(join(folder, `${FILE}.new`), join(folder, FILE));
    },
  },
  {
    name: 'writing into the file',
    async first(folder, content) {
      await writeFile(join(folder, FILE), content);
      return join(folder, FILE);
    },
    next: (folder, content) => writeFile(join(folder, FILE), content),
  },
  {
    name: 'the swap of a symbolic link to its folder',
    async first(folder, content) {
      await publish(folder, '..2026_1', content);
      await symlink(join('..data', FILE), join(folder, FILE));
      return join(folder, FILE);
    },
    async next(folder, content) {
      await publish(folder, '..2026_2', content);
      await rm(join(folder, '..2026_1'), { recursive: true });
    },
  },
];

async function ask(gateway: GatewayProcess, path = '/'): Promise<string> {
  const asked = get(`${gateway.url}${path}`, { agent: false });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return text(response);
}

describe('a configuration that changes under load', () => {
  it.each(DEPLOYMENTS)('by $name is live without a failed request', async ({ first, next }) => {
    const [before, after] = [await startOrigin('before'), await startOrigin('after')];
    const folder = await createFolder();
    const gateway = await startMeshgate(await first(folder, toText(toConfig(before.port))));
    const load = startLoad({ port: gateway.portOf('http') });
    await load.more(50);
    const slow = ask(gateway, '/slow');
    const held = await before.slowRequest();

    await next(folder, toText(toConfig(after.port)));
    await gateway.reloaded(({ revision }) => revision === 2);
    expect(await ask(gateway)).toBe('ok after');
    // What began on the configuration before ends on it.
    held.end('ok before');
    expect(await slow).toBe('ok before');
    await load.more(50);
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  it('and is wrong changes nothing, until it is right again', async () => {
    const origin = await startOrigin();
    const folder = await createFolder();
    const file = join(folder, FILE);
    const good = toText(toConfig(origin.port));
    await writeFile(file, good);
    const gateway = await startMeshgate(file);
    const load = startLoad({ port: gateway.portOf('http'), http1: 1, http2: 0 });

    await writeFile(file, 'meshgate: 1\nroutes: [{ name: app, to: nowhere }]\nlisteners: none\n');
    const refused = await gateway.reloaded(({ last_reload }) => !last_reload.successful);
    expect(refused).toMatchObject({ status: 'ready', revision: 1 });
    expect(refused.last_reload.errors.join('\n')).toContain(`${file}:3:12 `);
    expect(await gateway.metric('meshgate_config_last_reload_successful')).toBe(0);
    expect(await ask(gateway)).toBe('ok origin');
    await gateway.program.said('stderr', /the configuration was refused/);

    await writeFile(file, good);
    const unchanged = await gateway.reloaded(({ last_reload }) => last_reload.successful);
    expect(unchanged).toMatchObject({ revision: 1, last_reload: { errors: [] } });
    expect(await gateway.metric('meshgate_config_last_reload_successful')).toBe(1);

    await writeFile(file, toText(toConfig(origin.port, { trustedProxies: ['10.0.0.0/8'] })));
    await gateway.reloaded(({ revision }) => revision === 2);
    await load.more(20);
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  it('and is wrong in very many places is told about in the log and by the probe, in short', async () => {
    const origin = await startOrigin();
    const file = join(await createFolder(), FILE);
    await writeFile(file, JSON.stringify(toConfig(origin.port)));
    const gateway = await startMeshgate(file);
    const routes = Array.from({ length: 20_000 }, (_, i) => ({
      name: `r${i}`,
      match: { path: `/${i}` },
      to: `nowhere-${i}`,
    }));
    await writeFile(file, JSON.stringify(toConfig(origin.port, { routes })));
    const refused = await gateway.reloaded(({ last_reload }) => !last_reload.successful);
    const { errors } = refused.last_reload;
    expect(errors).toHaveLength(51);
    expect(errors.at(-1)).toBe(`and 19950 more; run meshgate check ${file}`);
    await gateway.program.said('stderr', /and 19950 more.*the configuration was refused/);
    expect(gateway.program.stderr.length).toBeLessThan(64 * 1024);
  });

  it('is kept as the last good one, and only when it is good', async () => {
    const origin = await startOrigin();
    const folder = await createFolder();
    const file = join(folder, FILE);
    await writeFile(file, toText(toConfig(origin.port)));
    const gateway = await startMeshgate(file);
    await writeFile(file, 'meshgate: 2\n');
    await gateway.reloaded(({ last_reload }) => !last_reload.successful);
    gateway.program.signal('SIGTERM');
    expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
    const kept = JSON.parse(await readFile(join(folder, '.meshgate/last-good.json'), 'utf8')) as {
      config: { routes: { name: string }[] };
    };
    expect(kept.config.routes.map(({ name }) => name)).toEqual(['app']);
  });
});

describe('listeners that a configuration adds and removes', () => {
  it('are opened and drained under load on another', async () => {
    const origin = await startOrigin();
    const folder = await createFolder();
    const file = join(folder, FILE);
    const [kept, added] = ['kept', 'added'].map((name) => ({
      name,
      address: '127.0.0.1:0',
      protocol: 'http',
    }));
    await writeFile(file, toText(toConfig(origin.port, { listeners: [kept] })));
    const gateway = await startMeshgate(file);
    const load = startLoad({ port: gateway.portOf('kept') });
    await writeFile(file, toText(toConfig(origin.port, { listeners: [kept, added] })));
    await gateway.reloaded(({ revision }) => revision === 2);
    expect(await connections(gateway)).toEqual(['added', 'kept']);
    await writeFile(file, toText(toConfig(origin.port, { listeners: [kept] })));
    await gateway.reloaded(({ revision }) => revision === 3);
    expect(await connections(gateway)).toEqual(['kept']);
    await load.more(20);
    await load.stop();
    expect(load.failures).toEqual([]);
  });
});

/** The names of the listeners that are open. */
async function connections(gateway: GatewayProcess): Promise<string[]> {
  const metrics = await (await fetch(`http://127.0.0.1:${gateway.statusPort}/metrics`)).text();
  const found = metrics.matchAll(/^meshgate_connections\{listener="([^"]+)"\}/gm);
  return Array.from(found, ([, name]) => name!).toSorted();
}

function toText(config: object): string {
  return JSON.stringify(config, undefined, 2);
}
