import { once } from 'node:events';
import { readdir, readFile, readlink, rename } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { CALLERS, openCallers, openPair, type PlacedCaller } from './callers.ts';
import {
  createFolder,
  eventually,
  runMeshgate,
  toConfig,
  writeConfig,
  UNHURRIED,
} from './gateway-process.ts';
import { startLoad } from './load.ts';
import { startOrigin, type Origin } from './origin.ts';
import {
  isAlive,
  shareWorkers,
  TELLING,
  untilBothReady,
  untilIdle,
  WORKERS,
} from './workers-fixture.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const HTTP = { name: 'http', address: '127.0.0.1:0', protocol: 'http' };
const HTTPS = { ...HTTP, name: 'https', protocol: 'https', tls: { selfSigned: ['localhost'] } };
const NARROW = { ...HTTP, name: 'narrow', limits: { connections: 3 } };
const LIMITED = {
  name: 'limited',
  match: [{ path: '/limited' }],
  to: 'app',
  plugins: [{ 'rate-limit': { limit: 5, window: '1h', by: 'ip' } }],
};
const ALL = { name: 'app', match: [{ path: '/*' }], to: 'app' };

async function ask(url: string): Promise<[number | undefined, string]> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  return [response.statusCode, await text(response)];
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** Opens a connection that stays open. */
function openTls(port: number, version: SecureVersion, session?: Buffer): TLSSocket {
  const versions = { minVersion: version, maxVersion: version };
  const socket = connect({ port, rejectUnauthorized: false, session, ...versions });
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** One for each version. */
async function sessionsOf(port: number): Promise<Buffer[]> {
  const sessions = VERSIONS.map((version) => once(openTls(port, version), 'session'));
  return (await Promise.all(sessions)).map(([session]) => session as Buffer);
}

/** Each of the sessions is resumed at both workers. */
async function expectResumed(port: number, sessions: readonly Buffer[]): Promise<void> {
  for (const [i, version] of VERSIONS.entries()) {
    const resumed: boolean[] = [];
    const workers = new Set<string>();
    // As each stays open, the next goes to the other.
    for (let n = 0; n < 4; n++) {
      const socket = openTls(port, version, sessions[i]);
      await once(socket, 'secureConnect');
      resumed.push(socket.isSessionReused());
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const [head] = (await once(socket.setEncoding('latin1'), 'data')) as [string];
      workers.add(/^x-worker: \d+/im.exec(head)![0]);
    }
    expect([version, ...resumed]).toEqual([version, true, true, true, true]);
    expect(workers.size).toBe(2);
  }
}

describe('a node with two workers', () => {
  const logged = { path: 'access.log', format: 'json' };
  const config = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
    listeners: [HTTP, HTTPS, NARROW],
    routes: [LIMITED, ALL],
    telemetry: { accessLog: logged },
    ...more,
  });
  const saying = (word: string, refusal?: string): Record<string, unknown> =>
    config({ plugins: [{ tell: { word, ...(refusal !== undefined && { refusal }) } }] });
  const shared = shareWorkers(() => saying('one'), { group: true, env: TELLING });

  beforeEach(() => untilIdle(shared()));

  it('spreads connections of every kind evenly, and counts them as one', async () => {
    const node = shared();
    const { gateway } = node;
    expect(await node.report()).toEqual({ wanted: 2, ready: 2, restarts: 0 });
    const workers = await node.workers();
    expect(workers).toHaveLength(2);
    const all: PlacedCaller[] = [];
    for (const [kind, open] of Object.entries(CALLERS)) {
      const port = gateway.portOf(kind.endsWith('TLS') ? 'https' : 'http');
      const callers = await openCallers(port, 4, open);
      // Each goes to who has fewer.
      const counts = workers.map((pid) => callers.filter(({ worker }) => worker === pid).length);
      expect([kind, ...counts]).toEqual([kind, 2, 2]);
      all.push(...callers);
      const again = await Promise.all(callers.map((caller) => caller.ask()));
      expect(again.map(({ worker }) => worker)).toEqual(callers.map(({ worker }) => worker));
    }
    const connections = async (listener: string): Promise<number> => {
      const page = await (await fetch(`http://127.0.0.1:${gateway.statusPort}/metrics`)).text();
      expect(page).toMatch(/meshgate_worker_restarts_total 0\n/);
      return Number(new RegExp(`connections\\{listener="${listener}"\\} (\\d+)\n`).exec(page)![1]);
    };
    expect(await connections('http')).toBe(8);
    expect(await connections('https')).toBe(8);

    // Who has lost some gets the next ones.
    const lucky = all[0]!.worker;
    const closed = all.filter(({ worker }) => worker === lucky).slice(0, 4);
    for (const caller of closed) caller.close();
    await eventually(async () => ((await connections('http')) === 4 ? true : undefined));
    const next = await openCallers(gateway.portOf('http'), 4);
    expect(next.map(({ worker }) => worker)).toEqual([lucky, lucky, lucky, lucky]);
  });

  it('limits requests as one', async () => {
    const { gateway } = shared();
    const [a, b] = await openPair(gateway.portOf('http'));
    const callers = [a, b, a, b, a, b, a, b, a, b, a, b];
    const answers = await Promise.all(callers.map((caller) => caller.ask('/limited')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7);
    const metrics = await (await fetch(`http://127.0.0.1:${gateway.statusPort}/metrics`)).text();
    expect(metrics).toMatch(/meshgate_rate_limited_total\{route="limited"\} 7\n/);
  });

  it('has as many connections as a listener may, over both, and room again when one ends', async () => {
    const port = shared().gateway.portOf('narrow');
    const open = CALLERS['HTTP/1.1'];
    const callers = await openCallers(port, 3);
    expect(new Set(callers.map(({ worker }) => worker)).size).toBe(2);
    await expect(open(port).ask()).rejects.toThrow(/ECONNRESET|socket hang up/);
    callers[0]!.close();
    const another = open(port);
    // The worker that had it tells the supervisor.
    await eventually(() => another.ask().catch(() => undefined));
    await expect(open(port).ask()).rejects.toThrow(/ECONNRESET|socket hang up/);
    const kept = await Promise.all([another, ...callers.slice(1)].map((caller) => caller.ask()));
    expect(kept.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('takes a change on SIGHUP in both workers or in none, however late one of them is', async () => {
    const node = shared();
    const { gateway } = node;
    const [a, b] = await openPair(gateway.portOf('http'));
    const before = (await gateway.readiness()).report.revision;
    process.kill(b.worker, 'SIGSTOP');
    onTestFinished(() => void process.kill(b.worker, 'SIGCONT'));
    await node.rewrite(saying('two'));
    gateway.program.signal('SIGHUP');
    await gateway.program.said('stderr', new RegExp(`"worker":${a.worker},.*"word":"two"`));
    for (let i = 0; i < 20; i++) expect((await a.ask()).word).toBe('one');
    expect((await gateway.readiness()).report.revision).toBe(before);
    process.kill(b.worker, 'SIGCONT');
    await gateway.reloaded(({ revision }) => revision === before + 1);
    // Who comes now comes after the change.
    const callers = await openCallers(gateway.portOf('http'), 4);
    const words = await Promise.all(callers.map(async (caller) => (await caller.ask()).word));
    expect(words).toEqual(['two', 'two', 'two', 'two']);
    expect([(await a.ask()).word, (await b.ask()).word]).toEqual(['two', 'two']);
  });

  it('takes no change that one worker refuses, and then the next', async () => {
    const node = shared();
    const { gateway } = node;
    const [a, b] = await openPair(gateway.portOf('http'));
    const words = async (): Promise<string[]> => [(await a.ask()).word, (await b.ask()).word];
    const before = await words();
    const { revision } = (await gateway.readiness()).report;
    await node.rewrite({ ...saying('three', join(node.folder, 'refusal')), listeners: [HTTP] });
    const report = await gateway.reloaded(({ last_reload: last }) => !last.successful);
    expect(report.revision).toBe(revision);
    expect(report.last_reload.errors).toEqual([
      expect.stringContaining('one worker cannot make it'),
    ]);
    expect(await words()).toEqual(before);
    expect((await ask(`http://127.0.0.1:${gateway.portOf('narrow')}`))[0]).toBe(200);

    const second = { ...HTTP, name: 'second' };
    await node.rewrite({ ...saying('four'), listeners: [HTTP, HTTPS, NARROW, second] });
    await gateway.reloaded((next) => next.revision === revision + 1);
    const [, port] = await gateway.program.said(
      'stderr',
      /"listener":"second","address":"http:\/\/127.0.0.1:(\d+)"/,
    );
    expect(await words()).toEqual(['four', 'four']);
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask(`http://127.0.0.1:${port}`)));
    expect(answers.map(([status]) => status)).toEqual([200, 200, 200, 200]);
    // Nothing of it was said by every worker once more.
    expect(gateway.program.stderr.match(/a listener was opened/g)).toHaveLength(1);

    await node.rewrite(saying('four'));
    await gateway.reloaded((next) => next.revision === revision + 2);
    await expect(ask(`http://127.0.0.1:${port}`)).rejects.toThrow('ECONNREFUSED');
    expect((await node.report()).restarts).toBe(0);
  });

  it('opens the access log anew on SIGHUP in both workers', async () => {
    const node = shared();
    const { gateway } = node;
    const path = join(node.folder, 'access.log');
    const [a, b] = await openPair(gateway.portOf('http'));
    const logged = async (name: string): Promise<true> => {
      await Promise.all([a.ask(`/${name}/a`), b.ask(`/${name}/b`)]);
      return eventually(async () => {
        const text = await readFile(path, 'utf8');
        return text.includes(`/${name}/a`) && text.includes(`/${name}/b`) ? true : undefined;
      });
    };
    await logged('before');
    await rename(path, `${path}.1`);
    gateway.program.signal('SIGHUP');
    // Without a line to write they would not look where their file is.
    await eventually(async () => {
      const open = await Promise.all([a, b].map(({ worker }) => filesOf(worker)));
      const isNew = (files: readonly string[]): boolean =>
        files.includes(path) && !files.includes(`${path}.1`);
      return open.every(isNew) ? true : undefined;
    });
    await logged('after');
    expect(await readFile(`${path}.1`, 'utf8')).not.toContain('/after/');
  });

  it('resumes a TLS session at either worker', async () => {
    const port = shared().gateway.portOf('https');
    await expectResumed(port, await sessionsOf(port));
  });

  it('replaces both on SIGUSR2, with no request and no TLS session lost', async () => {
    const node = shared();
    const { gateway } = node;
    const before = await node.workers();
    const load = startLoad({ port: gateway.portOf('http'), http1: 2, http2: 1 });
    const socket = new WebSocket(gateway.url.replace('http', 'ws'));
    await once(socket, 'open');
    const farewell = once(socket, 'close');
    const sessions = await sessionsOf(gateway.portOf('https'));
    await load.more(50);
    // To the supervisor alone.
    gateway.program.child.kill('SIGUSR2');
    expect((await farewell)[0]).toBe(1001);
    await untilBothReady(node, before);
    await expectResumed(gateway.portOf('https'), sessions);
    expect(await ask(gateway.url)).toEqual([200, 'ok origin']);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await node.report()).toEqual({ wanted: 2, ready: 2, restarts: 0 });
  });

  it('replaces a worker that an error ends, with the reason in the log and no request lost', async () => {
    const node = shared();
    const { gateway, origin } = node;
    const callers = await openCallers(gateway.portOf('http'), 6);
    const victim = callers[0]!.worker;
    const [a, b] = callers.filter(({ worker }) => worker === victim);
    const other = callers.find(({ worker }) => worker !== victim)!;
    const slow = a!.ask('/slow');
    const held = await origin.slowRequest();
    // What it has is answered, this too.
    expect((await b!.ask('/', { 'x-explode': '1' })).status).toBe(200);
    await gateway.program.said(
      'stderr',
      new RegExp(`"worker":${victim},.*nobody can catch it.*an unexpected error ends this worker`),
    );
    expect(await other.ask()).toMatchObject({ status: 200, worker: other.worker });
    await eventually(async () => ((await node.report()).ready === 2 ? true : undefined));
    expect(isAlive(victim)).toBe(true);
    const next = await openCallers(gateway.portOf('http'), 6);
    expect(next.map(({ worker }) => worker)).not.toContain(victim);
    expect(new Set(next.map(({ worker }) => worker)).size).toBe(2);
    held.end('ok at last');
    expect(await slow).toMatchObject({ status: 200, body: 'ok at last', worker: victim });
    await gateway.program.said(
      'stderr',
      new RegExp(`"pid":${victim},"code":1,"signal":null,"msg":"a worker ended, and is replaced"`),
    );
    expect(await node.report()).toEqual({ wanted: 2, ready: 2, restarts: 1 });
  });

  it('drains on Ctrl-C, and has logged every request', async () => {
    const node = shared();
    const { gateway, origin } = node;
    const workers = await node.workers();
    const [a, b] = await openPair(gateway.portOf('http'));
    const slow = [a.ask('/slow'), b.ask('/slow')];
    const held = [await origin.slowRequest(), await origin.slowRequest()];
    // As a terminal's does, this reaches the workers too.
    gateway.program.signal('SIGINT');
    await eventually(async () =>
      (await gateway.readiness()).report.status === 'draining' ? true : undefined,
    );
    await expect(ask(gateway.url)).rejects.toThrow('ECONNREFUSED');
    for (const response of held) response.end('ok at last');
    const answers = await Promise.all(slow);
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, 'ok at last'],
      [200, 'ok at last'],
    ]);
    expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
    expect(workers.filter(isAlive)).toEqual([]);
    const lines = (await readFile(join(node.folder, 'access.log'), 'utf8')).trimEnd().split('\n');
    const paths = lines.map((line) => (JSON.parse(line) as { path: string }).path);
    expect(paths.filter((path) => path === '/slow')).toHaveLength(3);
  });
});

/** That the process has open. */
async function filesOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const links = (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => ''));
  return Promise.all(links);
}

describe('a node with two workers in the mesh', () => {
  let application: Origin;
  const ends: (() => unknown)[] = [];
  beforeAll(async () => {
    application = await startOrigin('application', (end) => ends.push(end));
  });
  afterAll(() => ends.forEach((end) => end()));
  const shared = shareWorkers(
    () => ({
      register: [
        { service: 'orders', address: `127.0.0.1:${application.port}`, inbound: '127.0.0.1:0' },
      ],
      outbound: { address: '127.0.0.1:0' },
    }),
    { env: UNHURRIED },
  );

  it('finds services that no configuration names, for whichever worker is asked', async () => {
    const port = shared().gateway.portOf('mesh:outbound');
    const headers = { host: 'orders.mesh' };
    const call = async (): Promise<string> => {
      const sent = get({ port, headers, agent: false });
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return `${response.statusCode} ${await text(response)}`;
    };
    // It is registered once the node serves, and one worker hears of it before the other.
    const answers = await eventually(async () => {
      const all = await Promise.all(Array.from({ length: 8 }, call));
      return all.some((answer) => answer.startsWith('503 ')) ? undefined : all;
    });
    expect(answers).toEqual(Array.from({ length: 8 }, () => '200 ok application'));
  });

  it('replaces one that is killed, and the port stays', async () => {
    const node = shared();
    const { gateway } = node;
    const before = await node.workers();
    process.kill(before[0]!, 'SIGKILL');
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(gateway.url)));
    expect(answers).toEqual(Array.from({ length: 4 }, () => [200, 'ok origin']));
    await untilBothReady(node, [before[0]!]);
    expect(await node.report()).toEqual({ wanted: 2, ready: 2, restarts: 1 });
    expect(gateway.program.stderr).toMatch(
      /"code":null,"signal":"SIGKILL","msg":"a worker ended, and is replaced"/,
    );

    // Who comes while there is none waits for the next.
    for (const pid of await node.workers()) process.kill(pid, 'SIGKILL');
    expect(await ask(gateway.url)).toEqual([200, 'ok origin']);
  });

  it('leaves no worker behind when it is killed itself', async () => {
    const node = shared();
    const { gateway } = node;
    const last = await node.workers();
    await gateway.program.kill();
    await eventually(async () => (last.some(isAlive) ? undefined : true));
    await expect(ask(gateway.url)).rejects.toThrow('ECONNREFUSED');
  });
});

it('is not started where no worker can be', async () => {
  const env = { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'no-worker.ts')}` };
  const file = await writeConfig(await createFolder(), toConfig(1, WORKERS));
  const { code, stderr } = await runMeshgate(['start', '--config', file], { env });
  expect(stderr).toContain('no worker could be started');
  expect(code).toBe(1);
});
