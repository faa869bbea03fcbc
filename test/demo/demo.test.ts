import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { App } from '../../src/cli/app-port.ts';
import { startDemo, type Demo } from '../../src/demo/demo.ts';
import { DEMO_INSTANCES } from '../../src/demo/instances.ts';
import { freePorts } from '../redis/free-port.ts';
import { openEcho } from './echo-client.ts';

const CONFIG = resolve(import.meta.dirname, '../../config/meshgate.yaml');
const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

const run = promisify(execFile);
let directory = '';
let demo: Demo;
let outboundPort = 0;
let adminPort = 0;
let app: App;
let commands: string[] = [];

/** The configuration as it is shipped, on ports that are free. */
async function writeConfig(file: string): Promise<void> {
  const ports = new Map(DEMO_INSTANCES.map(({ port }, i) => [port, demo.instances[i]!.port]));
  for (const inbound of [4143, 4144, 4145]) ports.set(inbound, 0);
  for (const listener of [8000, 8443]) ports.set(listener, 0);
  ports.set(4140, outboundPort);
  // All at once, lest a port that was put in be taken for one to be replaced.
  const text = (await readFile(CONFIG, 'utf8')).replaceAll(
    /(?:127\.0\.0\.1|0\.0\.0\.0):([0-9]+)/g,
    (_address, port) => `127.0.0.1:${ports.get(Number(port))}`,
  );
  expect(text).not.toContain('undefined');
  await writeFile(
    file,
    `${text}\nstatus: { address: 127.0.0.1:0 }\nadmin: { address: 127.0.0.1:${adminPort} }\ntelemetry: { accessLog: false }\n`,
  );
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshgate-demo-'));
  const configFile = join(directory, 'meshgate.yaml');
  const instances = DEMO_INSTANCES.map((instance) => ({ ...instance, port: 0 }));
  [outboundPort, adminPort] = (await freePorts(2)) as [number, number];
  const outbound = { host: '127.0.0.1', port: outboundPort };
  demo = await startDemo({ configFile, log: SILENT, instances, outbound });
  await writeConfig(configFile);
  app = await createApp({ configFile, env: {}, log: SILENT });
  const { listeners, statusPort } = await app.start();
  const port = (name: string) => listeners.find((listener) => listener.name === name)!.port;
  const cli = `MESHGATE_CONFIG=${configFile} ${process.execPath} ${MAIN}`;
  const banner = await demo.banner({
    http: `http://127.0.0.1:${port('http')}`,
    https: `https://127.0.0.1:${port('https')}`,
    status: `http://127.0.0.1:${statusPort}`,
    cli,
  });
  commands = banner.split('\n').filter((line) => line.startsWith('curl ') || line.startsWith(cli));
});

afterAll(async () => {
  await app.stop();
  await demo.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The output of the one command of the banner that has all of these texts in it. */
async function paste(...parts: readonly string[]): Promise<string> {
  const [command, ...others] = commands.filter((line) =>
    parts.every((part) => line.includes(part)),
  );
  expect(others).toEqual([]);
  const { stdout } = await run('sh', ['-c', command!], { encoding: 'latin1' });
  return stdout;
}

function parseLines(text: string): unknown[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

// What is printed are commands for curl: where there is none, there is nothing to paste.
describe.runIf(hasCurl())('the commands that the demo prints', () => {
  it('get an answer of the gateway itself', async () => {
    expect(await paste('/hello', '-sk ')).toBe('Hello from Meshgate.\n');
  });

  it('get users from both instances', async () => {
    const answers = parseLines(await paste('/users/1?')) as { name: string; servedBy: string }[];
    expect(answers.map(({ name }) => name)).toEqual(['Ada', 'Ada', 'Ada', 'Ada']);
    expect(new Set(answers.map(({ servedBy }) => servedBy)).size).toBe(2);
  });

  it('get what one service asks of another through the mesh', async () => {
    const [answer] = parseLines(await paste('/users/1/orders')) as object[];
    expect(answer).toMatchObject({
      name: 'Ada',
      servedBy: expect.stringContaining('users-v1:') as string,
      ordersAnswered: { servedBy: expect.stringMatching(/^orders-v[12]:/) as string },
    });
    expect(parseLines(await paste('--proxy'))).toEqual([expect.objectContaining({ item: 'lamp' })]);
  });

  it('get orders with the token, and 401 without', async () => {
    expect(parseLines(await paste('Bearer'))).toEqual([
      expect.objectContaining({ item: 'lamp', caller: 'ada' }),
    ]);
    expect(await paste('/orders/1', '-ski ')).toMatch(/^HTTP\/2 401 /);
  });

  it('are let through five times by the limit, and then no more', async () => {
    expect(await paste('curl ', '/limited/1')).toBe('200\n200\n200\n200\n200\n429\n429\n');
  });

  it('meet the canary', async () => {
    const answers = parseLines(await paste('/canary/1')) as { version: string }[];
    expect(answers).toHaveLength(20);
    for (const { version } of answers) expect(['v1', 'v2']).toContain(version);
  });

  it('get three events', async () => {
    expect((await paste('/events')).match(/^event: order$/gm)).toHaveLength(3);
  });

  it('open a WebSocket', async () => {
    const answer = await paste('/ws');
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(answer).toContain('hello from users-v1:');
  });

  it('are redirected', async () => {
    expect(await paste('/old/1')).toMatch(/^HTTP\/2 308 [^]*^location: https:.*\/users\/1\r$/m);
    expect(await paste('/hello', '-si ')).toMatch(/^HTTP\/1\.1 308 [^]*^location: https:/im);
  });

  it('get the metrics', async () => {
    expect(await paste('/metrics')).toContain('meshgate_requests_total{');
  });

  it('tell how the gateway is', async () => {
    expect(await paste('main.ts status')).toMatch(/^orders +3 of 3 /m);
  });

  it('tell what would become of a request', async () => {
    expect(await paste('main.ts explain')).toContain('unless the limit of 5 in');
  });

  it('are all tried here', () => {
    expect(commands).toHaveLength(15);
  });
});

describe('the demo', () => {
  it('keeps the public key where the configuration looks for it, and the private key nowhere', async () => {
    const file = join(directory, '.meshgate/demo/jwks.json');
    const { keys } = JSON.parse(await readFile(file, 'utf8')) as { keys: object[] };
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256' });
    expect(keys[0]).not.toHaveProperty('d');
    expect((await stat(join(directory, '.meshgate'))).mode & 0o777).toBe(0o700);
  });

  it('says which port is taken, and starts nothing', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const instances = [
      { service: 'orders', version: 'v1', port: 0 },
      { service: 'users', version: 'v1', port },
    ] as const;
    const configFile = join(directory, 'other', 'meshgate.yaml');
    await expect(startDemo({ configFile, log: SILENT, instances })).rejects.toThrow(
      `port ${port} of 127.0.0.1, which the demo needs for users-v1:${port}, is taken`,
    );
    blocker.close();
  });

  it('stops while somebody listens to events or holds a WebSocket', async () => {
    const instances = DEMO_INSTANCES.map((instance) => ({ ...instance, port: 0 }));
    const configFile = join(directory, 'stopped', 'meshgate.yaml');
    const stopped = await startDemo({ configFile, log: SILENT, instances });
    const portOf = (service: string) =>
      stopped.instances.find((instance) => instance.service === service)!.port;
    const events = await fetch(`http://127.0.0.1:${portOf('orders')}/events`);
    const echo = await openEcho(`ws://127.0.0.1:${portOf('users')}/ws`);
    await stopped.stop();
    await expect(events.text()).rejects.toThrow('terminated');
    expect(await echo.closed).toBe(1006);
  });
});
