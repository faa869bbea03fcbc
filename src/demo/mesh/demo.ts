/** `npm run demo:mesh`: a gateway and three sidecars on a real Redis; what happens when some of them die. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startCaller, type Caller } from './caller.ts';
import { createChild, type Child } from './child.ts';

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url));
const APPLICATION = fileURLToPath(new URL('application.ts', import.meta.url));
const REDIS = 'redis-server';
const INSTANCES = 3;
/** For those who know it already. */
const IS_QUICK = process.argv.includes('--quick');
const ANSWERED_WITHIN_MS = 15_000;

const say = (line = ''): void => void process.stdout.write(`${line}\n`);

interface Beside {
  readonly application: Child;
  readonly sidecar: Child;
}

interface Stage {
  readonly redis: Child;
  readonly gateway: Child;
  readonly gatewayPort: number;
  readonly instances: readonly Beside[];
}

async function main(): Promise<number> {
  const version = await promisify(execFile)(REDIS, ['--version']).catch(() => undefined);
  if (version === undefined) {
    say(`This demo needs a ${REDIS}: install one (Debian: apt-get install redis-server).`);
    say('Without one, `npm start` shows the mesh on a single machine.');
    return 1;
  }
  const folder = await mkdtemp(join(tmpdir(), 'meshgate-demo-mesh-'));
  const stage = await setUp(folder);
  const children = childrenOf(stage);
  const clear = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.end('SIGKILL')));
    await rm(folder, { recursive: true, force: true });
  };
  process.once('SIGINT', () => void clear().finally(() => process.exit(130)));
  process.once('SIGTERM', () => void clear().finally(() => process.exit(143)));
  try {
    return await play(stage);
  } finally {
    await clear();
  }
}

async function play(stage: Stage): Promise<number> {
  const { redis, gateway, instances } = stage;
  say(
    'Starting: Redis, three applications with a sidecar each, and a gateway. All of them are processes.',
  );
  await redis.start();
  await Promise.all(instances.map(({ application }) => application.start()));
  await Promise.all([...instances.map(({ sidecar }) => sidecar.start()), gateway.start()]);
  for (const child of childrenOf(stage)) say(`  ${child.name.padEnd(12)} pid ${child.pid}`);
  await untilAnswered(stage.gatewayPort);
  const caller = startCaller(stage.gatewayPort);
  try {
    say(
      `\n50 requests a second to http://127.0.0.1:${stage.gatewayPort}/orders/1. Who answered, second by second:`,
    );
    await watch(caller, 4);
    const [first, second] = instances as [Beside, Beside];

    say(
      `\nKilling ${first.sidecar.name} and ${first.application.name} (SIGKILL), as a machine that fails.`,
    );
    await Promise.all([first.sidecar.end('SIGKILL'), first.application.end('SIGKILL')]);
    await watch(caller, 5);

    say('\nThe machine is back: its instance is registered once its health check passes.');
    await first.application.start();
    await first.sidecar.start();
    await watch(caller, 5);

    say('\nKilling Redis. Nobody waits for it: all go on with what they last knew.');
    await redis.end('SIGKILL');
    await watch(caller, 5);

    say('\nRedis is back, and empty. The registrations return by themselves.');
    await redis.start();
    await watch(caller, 5);

    say(`\nStopping ${second.sidecar.name} (SIGTERM): it drains, and callers hear of it first.`);
    await Promise.all([second.sidecar.end('SIGTERM'), watch(caller, 4)]);
  } finally {
    caller.stop();
  }
  say(`\n${caller.total} requests, ${caller.failed} failed.`);
  return caller.failed === 0 ? 0 : 1;
}

async function watch(caller: Caller, seconds: number): Promise<void> {
  caller.take();
  for (let second = 1; second <= (IS_QUICK ? 2 : seconds); second++) {
    await delay(1000);
    const { answers, failed } = caller.take();
    const names = [...answers.keys()].toSorted();
    const who = names.map((name) => `${name} ${String(answers.get(name)).padStart(2)}`);
    say(`  ${who.join('   ')}${failed === 0 ? '' : `   ${failed} FAILED`}`);
  }
}

async function setUp(folder: string): Promise<Stage> {
  const ports = await findFreePorts(4 + 4 * INSTANCES);
  const take = (): number => ports.pop()!;
  const [redisPort, gatewayPort] = [take(), take()];
  const url = `redis://127.0.0.1:${redisPort}`;
  const child = (name: string, command: readonly string[], upBy: string): Child =>
    createChild({ name, command, upBy, cwd: folder });
  const instances = Array.from({ length: INSTANCES }, (_, i): Beside => {
    const port = take();
    const version = i < INSTANCES - 1 ? 'v1' : 'v2';
    const local = (): string => `127.0.0.1:${take()}`;
    const flags = ['--app', `127.0.0.1:${port}`, '--redis', url, '--health-path', '/orders'];
    const addresses = ['--inbound', local(), '--outbound', local(), '--status', local()];
    const own = ['--metadata', `version=${version}`, '--data-dir', `sidecar-${i + 1}`];
    return {
      application: child(
        `orders-${i + 1}`,
        [process.execPath, APPLICATION, version, String(port)],
        'listens',
      ),
      sidecar: child(
        `sidecar-${i + 1}`,
        [process.execPath, MAIN, 'sidecar', 'orders', ...flags, ...addresses, ...own],
        'status on',
      ),
    };
  });
  const config = join(folder, 'gateway.yaml');
  await writeFile(config, toGatewayConfig(url, gatewayPort, take()));
  return {
    redis: child(
      'redis',
      [REDIS, '--port', String(redisPort), '--bind', '127.0.0.1', '--save', ''],
      'Ready to accept connections',
    ),
    gateway: child('gateway', [process.execPath, MAIN, 'start', '--config', config], 'status on'),
    gatewayPort,
    instances,
  };
}

function toGatewayConfig(redis: string, port: number, statusPort: number): string {
  return `meshgate: 1
backplane: { redis: "${redis}" }
dataDir: gateway
listeners: [{ name: http, address: 127.0.0.1:${port} }]
status: { address: 127.0.0.1:${statusPort} }
telemetry: { accessLog: false }
services: { orders: { discover: { mesh: orders } } }
routes: [{ name: orders, match: [{ path: /orders/* }], to: orders }]
`;
}

function childrenOf({ redis, gateway, instances }: Stage): Child[] {
  return [
    redis,
    ...instances.flatMap(({ application, sidecar }) => [application, sidecar]),
    gateway,
  ];
}

async function untilAnswered(port: number): Promise<void> {
  const deadline = performance.now() + ANSWERED_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/orders/1`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    if (performance.now() > deadline) throw new Error('the gateway does not reach the service');
    await delay(100);
  }
}

async function findFreePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

process.exitCode = await main();
