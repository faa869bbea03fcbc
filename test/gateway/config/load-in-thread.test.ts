import { readdir, readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  createConfigLoader,
  loadConfigInThread,
} from '../../../src/gateway/config/load-in-thread.ts';
import type { Config } from '../../../src/gateway/config/config.ts';
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';
import { createFolder } from './config-file.ts';

const catalogue = {
  module: new URL('../../../src/plugins/standard.ts', import.meta.url),
  name: 'standardPlugins',
};

const ROUTES = 10_000;

function manyRoutes(): string {
  const lines = ['meshgate: 1', 'services:'];
  for (let i = 0; i < 100; i++) {
    lines.push(`  s${i}: { endpoints: [{ address: 127.0.0.1:${3000 + i} }] }`);
  }
  lines.push('routes:');
  for (let i = 0; i < ROUTES; i++) {
    lines.push(
      `  - { name: r${i}, match: { hosts: [h${i % 50}.test], path: /r${i}/* }, to: s${i % 100} }`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Of this process. */
async function threads(): Promise<number> {
  return (await readdir('/proc/self/task')).length;
}

/** Also where timers are not the system's. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('it does not come to that');
    await new Promise(setImmediate);
  }
}

describe('loading in a thread', () => {
  it('gives what loading here gives, frozen', async () => {
    const folder = await createFolder({
      'meshgate.yaml': `meshgate: 1
node: { name: "\${NAME}" }
services: { s: { endpoints: [] } }
routes: [{ name: a, to: s, plugins: [{ rate-limit: { limit: 1, window: 1m } }] }]
consumers: [{ name: c }]
`,
    });
    const file = join(folder, 'meshgate.yaml');
    const env = { NAME: 'n' };
    const here = await loadConfig(file, { catalogue: standardPlugins, env });
    const there = await loadConfigInThread(file, { catalogue, env });
    expect(there).toEqual(here);
    expect(there.ok && Object.isFrozen(there.config.routes[0]?.matches[0])).toBe(true);
    expect(there.ok && Object.isFrozen(there.config)).toBe(true);
    expect(there.ok && Object.isFrozen(there.config.telemetry.accessLog)).toBe(true);
  });

  it('gives the issues of a broken file', async () => {
    const folder = await createFolder({ 'meshgate.yaml': 'meshgate: 1\nroute: []\n' });
    const result = await loadConfigInThread(join(folder, 'meshgate.yaml'), { catalogue });
    expect(result).toMatchObject({ ok: false, issues: [{ path: 'route', line: 2 }] });
  });

  it('loads one file after the other in a thread that stays, whatever became of the ones before', async () => {
    const folder = await createFolder({ 'meshgate.yaml': 'meshgate: 1\n' });
    const file = join(folder, 'meshgate.yaml');
    const loader = createConfigLoader(catalogue);
    const load = (text: string): Promise<unknown> =>
      loader.load(file, { text, env: { NAME: 'n' } }).then((result) => {
        return result.ok ? result.config.node.name : result.issues.map(({ path }) => path);
      });
    const names = ['a', 'b', 'c'].map((name) => load(`meshgate: 1\nnode: { name: ${name} }\n`));
    expect(await Promise.all(names)).toEqual(['a', 'b', 'c']);
    expect(await load('meshgate: 1\nroute: []\n')).toEqual(['route']);
    expect(await load('meshgate: 1\nnode: { name: "${NAME}" }\n')).toBe('n');
    // What one load found secret, or filled in, is none of the next one's.
    expect(await load('meshgate: 1\nnode: { name: e }\nservices: {}\n')).toBe('e');
    const cutOff = load('meshgate: 1\n').catch((error: Error) => error.message);
    await loader.close();
    expect(await cutOff).toBe('the loader is closed');
    await expect(load('meshgate: 1\n')).rejects.toThrow('the loader is closed');
  });

  it('tells what is wrong alone where that is all that is asked, between loads', async () => {
    const folder = await createFolder({ 'meshgate.yaml': 'meshgate: 1\n' });
    const file = join(folder, 'meshgate.yaml');
    const loader = createConfigLoader(catalogue);
    const route = (name: string): string => `{ name: ${name}, match: [{ path: /a }], respond: {} }`;
    const twice = `meshgate: 1\nroutes: [${route('a')}, ${route('b')}]\n`;
    const [checked, refused, loaded] = await Promise.all([
      loader.check(file, { text: twice }),
      loader.check(file, { text: 'meshgate: 1\nroute: []\n' }),
      loader.load(file, { text: twice }),
    ]);
    expect(checked).toMatchObject({ ok: true, issues: [{ severity: 'warning' }] });
    expect(checked).not.toHaveProperty('config');
    expect(refused).toMatchObject({ ok: false, issues: [{ path: 'route' }] });
    expect(loaded.ok && loaded.warnings).toEqual(checked.issues);
    await loader.close();
  });

  it('takes over what has not changed, and no more than that', async () => {
    const folder = await createFolder({ 'meshgate.yaml': 'meshgate: 1\n' });
    const file = join(folder, 'meshgate.yaml');
    const loader = createConfigLoader(catalogue);
    const load = async (...names: string[]): Promise<Config> => {
      const routes = names.map(
        (name) => `{ name: ${name}, match: { path: /${name[0]} }, respond: {} }`,
      );
      const text = `meshgate: 1\nroutes: [${routes.join(', ')}]\nconsumers: [{ name: c }]\n`;
      const result = await loader.load(file, { text });
      if (!result.ok) throw new Error(JSON.stringify(result.issues));
      expect(result).toEqual(await loadConfigInThread(file, { catalogue, text }));
      return result.config;
    };
    const first = await load('a', 'b', 'c');
    const second = await load('a', 'd', 'c', 'b');
    expect(second.routes.map((route) => first.routes.indexOf(route))).toEqual([0, -1, 2, 1]);
    expect(second.consumers).toBe(first.consumers);
    // Of a version that is refused nothing is taken over, and nothing is forgotten.
    await expect(load('a', 'a')).rejects.toThrow('the name is taken');
    const third = await load('a', 'b', 'c');
    expect(third.routes.map((route) => second.routes.indexOf(route))).toEqual([0, 3, 2]);
    await loader.close();
  });

  it.runIf(process.platform === 'linux')(
    'lets traffic go first on a core that they share',
    async () => {
      const priorities = async (): Promise<number[]> =>
        (await readdir('/proc/self/task')).map((thread) => getPriority(Number(thread)));
      const own = getPriority(process.pid);
      const below = async (): Promise<number> =>
        (await priorities()).filter((priority) => priority > own).length;
      const before = await below();
      const loader = createConfigLoader(catalogue);
      await loader.load('x.yaml', { text: 'meshgate: 1\n' });
      expect([await below(), getPriority(process.pid)]).toEqual([before + 1, own]);
      await loader.close();
    },
  );

  it('gives way before it has loaded anything that takes time', async () => {
    const folder = new URL('../../../src/gateway/config/', import.meta.url);
    const importsOf = async (name: string): Promise<string[]> => {
      const source = await readFile(new URL(name, folder), 'utf8');
      return [...source.matchAll(/^import .*'(.+)';$/gm)].map((match) => match[1]!);
    };
    expect(await importsOf('load-thread.ts')).toEqual(['./give-way.ts']);
    expect(await importsOf('give-way.ts')).toEqual(['node:os']);
  });

  it.runIf(process.platform === 'linux')(
    'keeps its thread for ten minutes of quiet, or as long as it is told',
    async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const usual = createConfigLoader(catalogue);
      const brief = createConfigLoader(catalogue, 1_000);
      try {
        await usual.load('x.yaml', { text: 'meshgate: 1\n' });
        const one = await threads();
        await brief.load('x.yaml', { text: 'meshgate: 1\n' });
        expect(await threads()).toBeGreaterThan(one);
        await vi.advanceTimersByTimeAsync(1_000);
        await until(async () => (await threads()) <= one);
        await vi.advanceTimersByTimeAsync(9 * 60_000);
        await new Promise(setImmediate);
        expect(await threads()).toBe(one);
        await vi.advanceTimersByTimeAsync(60_000);
        await until(async () => (await threads()) < one);
      } finally {
        vi.useRealTimers();
        await Promise.all([usual.close(), brief.close()]);
      }
    },
  );

  it.runIf(process.platform === 'linux')(
    'has a thread ready where it is to, before anything is loaded and after ten minutes of quiet',
    async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const loader = createConfigLoader(catalogue);
      try {
        const before = await threads();
        loader.keepReady(true);
        await new Promise(setImmediate);
        vi.advanceTimersByTime(5_000);
        expect(await threads()).toBeGreaterThan(before);
        await loader.load('x.yaml', { text: 'meshgate: 1\n' });
        vi.advanceTimersByTime(601_000);
        await new Promise(setImmediate);
        const ready = await threads();
        expect(ready).toBeGreaterThan(before);
        loader.keepReady(false);
        await new Promise(setImmediate);
        vi.advanceTimersByTime(601_000);
        vi.useRealTimers();
        await expect.poll(threads, { timeout: 10_000 }).toBeLessThan(ready);
      } finally {
        vi.useRealTimers();
        await loader.close();
      }
    },
  );

  it('gets over a catalogue that cannot be had', async () => {
    const loader = createConfigLoader({ ...catalogue, name: 'noSuchPlugins' });
    await expect(loader.load('x.yaml', { text: '' })).rejects.toThrow(/exports no Map/);
    await expect(loader.load('x.yaml', { text: '' })).rejects.toThrow(/exports no Map/);
    await loader.close();
  });

  it('does not hold up the main thread while 10,000 routes are loaded', async () => {
    const folder = await createFolder({ 'meshgate.yaml': manyRoutes() });
    // Time that this thread spent, so that other processes on the machine do not count.
    const spentMs = (): number => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    };
    let longestMs = 0;
    let ticks = 0;
    let last = spentMs();
    const timer = setInterval(() => {
      const now = spentMs();
      longestMs = Math.max(longestMs, now - last);
      last = now;
      ticks++;
    }, 5);
    try {
      const result = await loadConfigInThread(join(folder, 'meshgate.yaml'), { catalogue });
      expect(result.ok && result.config.routes.length).toBe(ROUTES);
      expect(result.ok && result.config.routes.at(-1)?.name).toBe(`r${ROUTES - 1}`);
    } finally {
      clearInterval(timer);
    }
    expect(ticks).toBeGreaterThan(10);
    expect(longestMs).toBeLessThan(50);
  }, 60_000);

  it('rejects where the catalogue cannot be had', async () => {
    const folder = await createFolder({ 'meshgate.yaml': 'meshgate: 1\n' });
    const missing = { ...catalogue, name: 'nothing' };
    await expect(
      loadConfigInThread(join(folder, 'meshgate.yaml'), { catalogue: missing }),
    ).rejects.toThrow('exports no Map nothing');
  });

  it('ends when it is told to', async () => {
    const folder = await createFolder({ 'meshgate.yaml': manyRoutes() });
    const controller = new AbortController();
    const loading = loadConfigInThread(join(folder, 'meshgate.yaml'), {
      catalogue,
      signal: controller.signal,
    });
    controller.abort(new Error('enough'));
    await expect(loading).rejects.toThrow('enough');
  });
});
