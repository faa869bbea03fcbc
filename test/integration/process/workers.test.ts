import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createAuthority } from '../../gateway/listener/certificates.ts';
import { createFolder, eventually, runMeshgate, toConfig, writeConfig } from './gateway-process.ts';
import { startLoad } from './load.ts';
import { startOrigin } from './origin.ts';
import { isAlive, startWorkers, untilBothReady, WORKERS } from './workers-fixture.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const HTTP = { name: 'http', address: '127.0.0.1:0', protocol: 'http' };

async function ask(url: string): Promise<[number | undefined, string]> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  return [response.statusCode, await text(response)];
}

describe('a node with two workers', () => {
  it('serves on one port, limits and counts as one, and drains on Ctrl-C', async () => {
    const limited = {
      name: 'limited',
      match: [{ path: '/limited' }],
      to: 'app',
      plugins: [{ 'rate-limit': { limit: 5, window: '1h', by: 'ip' } }],
    };
    const all = { name: 'app', match: [{ path: '/*' }], to: 'app' };
    const node = await startWorkers(
      {
        routes: [limited, all],
        telemetry: { accessLog: { format: 'json' } },
      },
      { group: true },
    );
    const { gateway, origin } = node;
    expect(await node.report()).toEqual({ wanted: 2, ready: 2, restarts: 0 });
    const workers = await node.workers();
    expect(workers).toHaveLength(2);

    // Both have open connections: each of two goes to who has fewer.
    const slow = [ask(`${gateway.url}/slow`), ask(`${gateway.url}/slow`)];
    const held = [await origin.slowRequest(), await origin.slowRequest()];
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => ask(`${gateway.url}/limited`)),
    );
    expect(answers.filter(([status]) => status === 200)).toHaveLength(5);
    expect(answers.filter(([status]) => status === 429)).toHaveLength(7);
    // Who has closed a connection may be told of that before the supervisor.
    const page = await eventually(async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${gateway.statusPort}/metrics`)).text();
      return metrics.includes('meshgate_connections{listener="http"} 2\n') ? metrics : undefined;
    });
    expect(page).toMatch(/meshgate_rate_limited_total\{route="limited"\} 7\n/);
    expect(page).toMatch(/meshgate_worker_restarts_total 0\n/);

    // As a terminal's Ctrl-C does, this reaches the workers too.
    gateway.program.signal('SIGINT');
    await eventually(async () =>
      (await gateway.readiness()).report.status === 'draining' ? true : undefined,
    );
    await expect(ask(gateway.url)).rejects.toThrow('ECONNREFUSED');
    for (const response of held) response.end('ok at last');
    expect(await Promise.all(slow)).toEqual([
      [200, 'ok at last'],
      [200, 'ok at last'],
    ]);
    expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
    expect(workers.filter(isAlive)).toEqual([]);
    const lines = gateway.program.stdout.split('\n').filter((line) => line.startsWith('{'));
    expect(lines.map((line) => JSON.parse(line) as object)).toHaveLength(14);
  });

  it('takes over a configuration in all workers or, where one refuses it, in none', async () => {
    const node = await startWorkers({ listeners: [HTTP] });
    const { gateway } = node;
    const hello = { name: 'hello', match: [{ path: '/*' }], respond: { status: 200, body: 'hi' } };
    const second = { ...HTTP, name: 'second' };
    await node.rewrite({ listeners: [HTTP, second], routes: [hello] });
    await gateway.reloaded(({ revision }) => revision === 2);
    const [, port] = await gateway.program.said(
      'stderr',
      /"listener":"second","address":"http:\/\/127.0.0.1:(\d+)"/,
    );
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        ask(i % 2 === 0 ? gateway.url : `http://127.0.0.1:${port}`),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 6 }, () => [200, 'hi']));

    await node.rewrite({ listeners: [HTTP], routes: [hello] });
    await gateway.reloaded(({ revision }) => revision === 3);
    await expect(ask(`http://127.0.0.1:${port}`)).rejects.toThrow('ECONNREFUSED');
    expect(await ask(gateway.url)).toEqual([200, 'hi']);
    // Nothing of it was said by every worker once more.
    expect(gateway.program.stderr.match(/a listener was opened/g)).toHaveLength(1);
  });

  it('replaces one that is killed, and the port stays; killed itself, it leaves none behind', async () => {
    const node = await startWorkers();
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

    const last = await node.workers();
    await gateway.program.kill();
    await eventually(async () => (last.some(isAlive) ? undefined : true));
    await expect(ask(gateway.url)).rejects.toThrow('ECONNREFUSED');
  });

  it('replaces all of them on SIGUSR2, with no request lost', async () => {
    const node = await startWorkers();
    const { gateway } = node;
    const before = await node.workers();
    const load = startLoad({ port: gateway.portOf('http'), http1: 2, http2: 1 });
    const socket = new WebSocket(gateway.url.replace('http', 'ws'));
    await once(socket, 'open');
    const farewell = once(socket, 'close');
    await load.more(50);
    gateway.program.signal('SIGUSR2');
    expect((await farewell)[0]).toBe(1001);
    await gateway.program.said('stderr', /all workers have been replaced/);
    await untilBothReady(node, before);
    expect(await ask(gateway.url)).toEqual([200, 'ok origin']);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await node.report()).toEqual({ wanted: 2, ready: 2, restarts: 0 });
  });

  it('finds services of the mesh that no configuration names, for whichever worker is asked', async () => {
    const origin = await startOrigin('application');
    const { gateway } = await startWorkers({
      register: [
        { service: 'orders', address: `127.0.0.1:${origin.port}`, inbound: '127.0.0.1:0' },
      ],
      outbound: { address: '127.0.0.1:0' },
      services: {},
      routes: [],
    });
    const port = gateway.portOf('mesh:outbound');
    const headers = { host: 'orders.mesh' };
    const call = async (): Promise<string> => {
      const sent = get({ port, headers, agent: false });
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return `${response.statusCode} ${await text(response)}`;
    };
    // It is registered once the node serves.
    await eventually(async () => ((await call()) === '200 ok application' ? true : undefined));
    expect(await Promise.all([call(), call(), call(), call()])).toEqual(
      Array.from({ length: 4 }, () => '200 ok application'),
    );
  });

  it('resumes a TLS session at whatever worker the client comes to', async () => {
    const https = { ...HTTP, name: 'https', protocol: 'https', tls: { selfSigned: ['localhost'] } };
    const { gateway } = await startWorkers({ listeners: [https] });
    const port = gateway.portOf('https');
    const first = connect({ port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    const [session] = (await once(first, 'session')) as [Buffer];
    // While the first is open, the others go in turns to both.
    const others = Array.from({ length: 4 }, () =>
      connect({ port, rejectUnauthorized: false, maxVersion: 'TLSv1.2', session }),
    );
    await Promise.all(others.map((one) => once(one, 'secureConnect')));
    expect(others.map((one: TLSSocket) => one.isSessionReused())).toEqual([true, true, true, true]);
    for (const one of [first, ...others]) one.destroy();
  });
});

/** Is loaded by all processes before the program, and does this in workers alone. */
async function inWorkers(code: string): Promise<Record<string, string>> {
  const module = join(await createFolder(), 'first.mjs');
  await writeFile(
    module,
    `import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
if (process.argv[1]?.includes('worker-process')) { ${code} }
`,
  );
  return { NODE_OPTIONS: `--import=${module}` };
}

describe('what a worker cannot take over', () => {
  it('is refused for all, and what ran stays', async () => {
    const env = await inWorkers(`
      const { readFileSync } = fs;
      fs.readFileSync = (path, ...rest) => {
        if (String(path).endsWith('ca.pem')) throw new Error('no such file in a worker');
        return readFileSync(path, ...rest);
      };
      syncBuiltinESMExports();
    `);
    const node = await startWorkers({}, { env });
    await writeFile(join(node.folder, 'ca.pem'), (await createAuthority()).cert);
    const secure = { endpoints: [{ address: '127.0.0.1:1' }], protocol: 'https' };
    await node.rewrite({
      listeners: [{ ...HTTP, name: 'other' }],
      services: { secure: { ...secure, tls: { ca: 'ca.pem' } } },
      routes: [{ name: 'secure', match: [{ path: '/*' }], to: 'secure' }],
    });
    const report = await node.gateway.reloaded(({ last_reload: last }) => !last.successful);
    expect(report.revision).toBe(1);
    expect(report.last_reload.errors).toEqual(['no such file in a worker']);
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(node.gateway.url)));
    expect(answers).toEqual(Array.from({ length: 4 }, () => [200, 'ok origin']));
    expect((await node.report()).restarts).toBe(0);
  });

  it('keeps the node from starting', async () => {
    const env = await inWorkers('process.exit(7);');
    const file = await writeConfig(await createFolder(), toConfig(1, WORKERS));
    const { code, stderr } = await runMeshgate(['start', '--config', file], { env });
    expect(stderr).toContain('no worker could be started');
    expect(code).toBe(1);
  });
});
