/** What is told of a node that cannot be asked: at once where that is known, with its name, and nobody else waits. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../integration/gateway-fixture.ts';
import { stopAdminsAfterEach } from '../admin-fixture.ts';
import { askWith } from '../token-fixture.ts';
import { describeNode, startFleet } from './fleet-fixture.ts';

stopAdminsAfterEach();

/** The port of a process that is stopped, and whose queue of connections is full. */
async function startStopped(): Promise<number> {
  const script = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port) })`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  for (let i = 0; i < 4; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
  }
  // The queue is full when a connection does not come about any more.
  await until(async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300)),
    ]);
    return isOpen ? undefined : true;
  });
  return port;
}

describe('a node that cannot be asked', () => {
  it('is 404 where there is none', async () => {
    const { a, token } = await startFleet();
    const { status, body } = await askWith(a, token, '/v1/nodes/nobody/mesh/nodes');
    expect([status, body['code'], body['instance']]).toEqual([
      404,
      'not_found',
      '/v1/nodes/nobody/mesh/nodes',
    ]);
    expect(body['detail']).toContain('"nobody"');
  });

  it('is 503 at once where it is down, with its name, and nobody else suffers', async () => {
    const { a, b, token } = await startFleet({ lostNodes: () => ['lost'] });
    await b.stop();
    const { status, headers, body } = await askWith(a, token, '/v1/nodes/b/mesh/nodes');
    expect([status, headers['retry-after'], body]).toEqual([
      503,
      '1',
      expect.objectContaining({
        code: 'node_unavailable',
        detail: 'The node "b" cannot be reached: nobody listens there (ECONNREFUSED).',
      }),
    ]);
    const lost = await askWith(a, token, '/v1/nodes/lost/mesh/nodes');
    expect([lost.status, lost.body['detail']]).toEqual([503, 'The node "lost" fell silent.']);
    expect((await askWith(a, token, '/v1/mesh/nodes')).status).toBe(200);
  });

  it('is 502 where its API is closed or on the loopback of another machine, and says how to change it', async () => {
    const { a, token } = await startFleet();
    await describeNode(a.backplane, 'closed', undefined);
    await describeNode(a.backplane, 'far', '127.0.0.1:8001', 'another');
    const closed = await askWith(a, token, '/v1/nodes/closed/mesh/nodes');
    expect([closed.status, closed.body['code']]).toEqual([502, 'node_unreachable']);
    expect(closed.body['detail']).toContain('is closed');
    const far = await askWith(a, token, '/v1/nodes/far/mesh/nodes');
    expect([far.status, far.body['code']]).toEqual([502, 'node_unreachable']);
    expect(far.body['detail']).toMatch(
      /127\.0\.0\.1:8001.*`admin: \{ address: 0\.0\.0\.0:8001 \}`/,
    );
  });

  it('is 504 where it takes a request and gives no answer for 5 s, which may have been done', async () => {
    const { a, token } = await startFleet();
    const mute = createServer((socket) => void socket.on('error', () => undefined).resume());
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    onTestFinished(() => void mute.close());
    await describeNode(a.backplane, 'mute', `127.0.0.1:${(mute.address() as AddressInfo).port}`);
    const [read, written, other] = await Promise.all([
      askWith(a, token, '/v1/nodes/mute/mesh/nodes'),
      askWith(a, token, '/v1/nodes/mute/tokens', { method: 'POST', body: {} }),
      askWith(a, token, '/v1/nodes/b/mesh/nodes'),
    ]);
    expect([read.status, read.body]).toEqual([
      504,
      expect.objectContaining({
        code: 'node_timeout',
        detail: 'The node "mute" gave no answer within 5 s.',
      }),
    ]);
    expect([written.status, written.body['detail']]).toEqual([
      504,
      'The node "mute" gave no answer within 5 s; what was asked for may have been done or not.',
    ]);
    expect(other.status).toBe(200);
  });

  it('is 504 where no connection comes about, and for 5 s more at once', async () => {
    const { a, token } = await startFleet();
    const port = await startStopped();
    await describeNode(a.backplane, 'hung', `127.0.0.1:${port}`);
    const first = await askWith(a, token, '/v1/nodes/hung/mesh/nodes');
    const began = performance.now();
    const second = await askWith(a, token, '/v1/nodes/hung/mesh/nodes');
    expect(performance.now() - began).toBeLessThan(1_500);
    for (const { status, body } of [first, second]) {
      expect([status, body['code'], body['detail']]).toEqual([
        504,
        'node_timeout',
        'The node "hung" cannot be reached: no connection within 2 s.',
      ]);
    }
  });

  it('is 503 where it breaks off, and is asked once only', async () => {
    const { a, token } = await startFleet();
    let connections = 0;
    const rude = createServer((socket) => {
      connections++;
      socket.on('error', () => undefined).once('data', () => socket.destroy());
    });
    rude.listen(0, '127.0.0.1');
    await once(rude, 'listening');
    onTestFinished(() => void rude.close());
    await describeNode(a.backplane, 'rude', `127.0.0.1:${(rude.address() as AddressInfo).port}`);
    const { status, body } = await askWith(a, token, '/v1/nodes/rude/mesh/nodes');
    expect([status, body['code'], connections]).toEqual([503, 'node_unavailable', 1]);
  });

  it('is not taken for another one that has its address now', async () => {
    const { a, b, token } = await startFleet();
    await describeNode(a.backplane, 'old', `127.0.0.1:${b.port}`);
    const { status, body } = await askWith(a, token, '/v1/nodes/old/mesh/nodes');
    expect([status, body['code']]).toEqual([421, 'misdirected_request']);
    expect(body['detail']).toContain('This is the node "b"');
  });

  it('is 503 with its own reason where it says so itself, without asking again', async () => {
    const { a, token } = await startFleet();
    let asked = 0;
    const busy = createHttpServer((_, answer) => {
      asked++;
      answer.writeHead(503, { 'retry-after': '1', 'content-type': 'application/problem+json' });
      answer.end('{"code":"busy"}');
    });
    busy.listen(0, '127.0.0.1');
    await once(busy, 'listening');
    onTestFinished(() => void busy.close());
    await describeNode(a.backplane, 'busy', `127.0.0.1:${(busy.address() as AddressInfo).port}`);
    const { status, body } = await askWith(a, token, '/v1/nodes/busy/mesh/nodes');
    expect([status, body['code'], asked]).toEqual([503, 'busy', 1]);
  });

  it('is known from before while the backplane is away', async () => {
    const { a, b, token } = await startFleet();
    expect((await askWith(a, token, '/v1/nodes/b/mesh/nodes')).status).toBe(200);
    await a.backplane.close();
    expect((await askWith(a, token, '/v1/nodes/b/mesh/nodes')).status).toBe(200);
    await b.stop();
  });
});
