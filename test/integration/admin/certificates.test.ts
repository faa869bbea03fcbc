/** A certificate put at one node, and what clients of each are shown. */
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { newKey } from '../../gateway/config/versions/version-node.ts';
import { createAuthority, type Authority } from '../../gateway/listener/certificates.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';
import { freePort } from '../../redis/free-port.ts';

interface Node {
  readonly gateway: TestGateway;
  readonly ask: (method: string, path: string, body?: object) => Promise<Asked>;
}

interface Asked {
  readonly status: number;
  readonly text: string;
}

let redis: RedisProcess;
let authority: Authority;
let nodes: readonly [Node, Node];

beforeAll(async () => {
  [redis, authority] = await Promise.all([RedisProcess.start(), createAuthority()]);
  const env = { MESHGATE_CONFIG_KEY: newKey() };
  nodes = await Promise.all([start('a', env), start('b', env)]);
});

afterAll(async () => {
  for (const { gateway } of nodes) await gateway.stop();
  await redis.stop();
});

async function start(name: string, env: Readonly<Record<string, string>>): Promise<Node> {
  const port = await freePort();
  const gateway = await startGateway(
    {
      node: { name },
      backplane: { redis: `redis://127.0.0.1:${redis.port}` },
      listeners: [{ name: 'https', address: '127.0.0.1:0', protocol: 'https', tls: {} }],
      admin: { address: `127.0.0.1:${port}` },
    },
    env,
  );
  const token = await readFile(join(gateway.directory, '.meshgate/admin-token'), 'utf8');
  return {
    gateway,
    async ask(method, path, body) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token.trim()}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, text: await answer.text() };
    },
  };
}

async function open({ httpsPort }: TestGateway, servername: string): Promise<TLSSocket> {
  const ca = authority.cert;
  const socket = connect({ host: '127.0.0.1', port: httpsPort, servername, ca });
  onTestFinished(() => void socket.on('error', () => undefined).destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** By both nodes: the subject of what a client that verifies it is shown, or that there is nothing. */
function shownBy(servername: string, expected: string): Promise<unknown> {
  return Promise.all(
    nodes.map(({ gateway }) =>
      until(async () => {
        const shown = await open(gateway, servername).then(
          (socket) => (socket.getPeerCertificate().subject as { CN: string }).CN,
          () => 'nothing',
        );
        return shown === expected ? true : undefined;
      }),
    ),
  );
}

async function answerOf(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

it(
  'is shown by all nodes, replaced without a connection cut, taken back, and its key seen nowhere',
  { timeout: 60_000 },
  async () => {
    const [a, b] = nodes;
    const first = await authority.issue('first', ['api.test', '*.api.test'], 5);
    const second = await authority.issue('second', ['api.test', '*.api.test'], 90);
    await shownBy('api.test', 'nothing');

    expect((await a.ask('PUT', '/v1/certificates/api', first)).status).toBe(201);
    await shownBy('api.test', 'first');
    await shownBy('X.Api.Test', 'first');
    const kept = await Promise.all(nodes.map(({ gateway }) => open(gateway, 'api.test')));

    // By the other node; what is open goes on.
    expect((await b.ask('PUT', '/v1/certificates/api', second)).status).toBe(200);
    await shownBy('api.test', 'second');
    for (const socket of kept) expect(await answerOf(socket)).toMatch(/^HTTP\/1.1 404 /);
    const metrics = await Promise.all(nodes.map(({ gateway }) => gateway.metrics()));
    for (const text of metrics) {
      const [, seconds] = /^meshgate_certificate_expiry_seconds\{name="api\.test"\} (\S+)$/m.exec(
        text,
      )!;
      expect(Number(seconds) / 86_400).toBeCloseTo(90, 0);
    }

    expect((await a.ask('POST', '/v1/config/rollback', { version: 1 })).status).toBe(201);
    await shownBy('api.test', 'first');
    const secrets = [first, second].map(({ key }) => key.split(/\r?\n/)[1]!.slice(0, 40));
    const read = await Promise.all(
      [
        '/v1/certificates/api',
        '/v1/certificates',
        '/v1/config',
        '/v1/config/versions/1',
        '/v1/config/versions/2',
        '/v1/audit',
      ].flatMap((path) => nodes.map(({ ask }) => ask('GET', path))),
    );
    for (const { status, text } of read) {
      expect(status).toBe(200);
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
    const stored = await filesOf(nodes.map(({ gateway }) => gateway.directory));
    expect(stored.length).toBeGreaterThan(4);
    for (const secret of secrets)
      expect(stored.filter((text) => text.includes(secret))).toEqual([]);

    expect((await a.ask('DELETE', '/v1/certificates/api')).status).toBe(204);
    await shownBy('api.test', 'nothing');
  },
);

async function filesOf(folders: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) texts.push(await readFile(join(entry.parentPath, entry.name), 'latin1'));
    }
  }
  return texts;
}
