import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DEMO_INSTANCES } from '../../src/demo/instances.ts';
import {
  CHECKOUT,
  createFolder,
  Program,
  untilServing,
} from '../integration/process/gateway-process.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const run = promisify(execFile);
const readme = await readFile(join(CHECKOUT, 'README.md'), 'utf8');
/** As a shell has it: npm finds the checkout's Node.js by itself. */
const ENV = {
  ...process.env,
  PATH: (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => !directory.startsWith(CHECKOUT))
    .join(delimiter),
};

/** The code blocks of a language under a heading. */
function blocksOf(heading: string, language: string): string[] {
  const section = readme.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`the README has no section "${heading}"`);
  const blocks = section.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'));
  return Array.from(blocks, ([, code]) => code!);
}

async function assertFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const server = createServer().listen(port);
    await once(server, 'listening').catch((error: unknown) => {
      throw new Error(
        `port ${port}, which the README's commands use, is taken; stop what listens there and run this test again`,
        { cause: error },
      );
    });
    server.close();
    await once(server, 'close');
  }
}

describe('the commands of the README', () => {
  it('are these, and each is run here', () => {
    // `npm ci` comes before any test, and `npm test` is this.
    expect(blocksOf('Try it', 'sh')).toEqual(['npm ci\nnpm start\n']);
    expect(blocksOf('Tests', 'sh')).toEqual(['npm ci\nnpm test\n']);
    expect(readme.match(/^```sh/gm)).toHaveLength(2);
    expect(blocksOf('Your first route', 'yaml')).toHaveLength(1);
    expect(readme).toContain('`npx node src/main.ts start`');
  });
});

describe('npm start', () => {
  beforeAll(() =>
    assertFree([
      8000,
      8443,
      8001,
      8007,
      4140,
      4143,
      4144,
      4145,
      ...DEMO_INSTANCES.map(({ port }) => port),
    ]),
  );

  it('answers on 8443, and every command that it prints does what it says', async () => {
    const program = new Program([], { command: ['npm', 'start'], env: ENV, group: true });
    await untilServing(program);
    expect(program.stdout).toContain('meshgate: admin on http://localhost:8001\n');
    await program.said('stdout', / explain .*\n/);
    const trials = [...program.stdout.matchAll(/^# (.*)\n((?:curl|MESHGATE_CONFIG=).*)$/gm)];
    expect(trials.length).toBeGreaterThan(10);
    expect(program.stdout.match(/^(?:curl |MESHGATE_CONFIG=)/gm)).toHaveLength(trials.length);
    // Nothing of its own is asked of the gateway that fails.
    expect(program.stdout).not.toContain('"status":503');

    for (const [, promise, command] of trials) {
      const { stdout } = await run('sh', ['-c', command!], {
        encoding: 'utf8',
        cwd: CHECKOUT,
        env: ENV,
      });
      expect(stdout, `${promise}: ${command}`).toMatch(expectationOf(command!));
    }
    program.signal('SIGINT');
    await program.said('stderr', /"msg":"draining"/);
    await program.ended;
  });

  it('ends with npm: a signal to npm alone leaves no gateway behind', async () => {
    const program = new Program([], { command: ['npm', 'start'], env: ENV, group: true });
    await untilServing(program);
    process.kill(program.child.pid!, 'SIGTERM');
    await program.said('stderr', /"signal":"SIGTERM".*"msg":"draining"/);
    // All that could write to its output has ended.
    expect((await program.ended).code).not.toBeNull();
  });
});

/** What the answer to a command of the demo looks like. */
function expectationOf(command: string): RegExp {
  const verb = / src\/main\.ts ([a-z]+)/.exec(command)?.[1];
  if (verb !== undefined) return VERBS[verb]!;
  const path = /https?:\/\/[^/]+(\/[a-z]*)/.exec(command)?.[1];
  const expected = EXPECTED.find(
    ([at, part]) => at === path && (part === undefined || command.includes(part)),
  );
  if (expected === undefined) throw new Error(`nothing is known of what this prints: ${command}`);
  return expected[2];
}

const VERBS: Readonly<Record<string, RegExp>> = {
  status: /^node +\S+, ready\n[^]*^orders +3 of 3 /m,
  explain: /^route {3}\* limited [^]*^result {4}forwarded$/m,
};

/** Path, what else is in the command, and what comes out; the first that fits counts. */
const EXPECTED: readonly (readonly [path: string, part: string | undefined, output: RegExp])[] = [
  ['/hello', 'http:', /^HTTP\/1\.1 308 [\s\S]*location: https:\/\/localhost:8443\/hello/i],
  ['/hello', undefined, /^Hello from Meshgate\.\n$/],
  ['/users', '/orders', /"servedBy":"users-v1:.*"servedBy":"orders-v/],
  ['/', '--proxy', /"item":"lamp"/],
  [
    '/users',
    undefined,
    /"servedBy":"users-v1:3004"[\s\S]*"servedBy":"users-v1:3005"|3005[\s\S]*3004/,
  ],
  ['/orders', 'Bearer', /"caller":"ada"/],
  ['/orders', undefined, /^HTTP\/2 401 [\s\S]*"code":"unauthenticated"/],
  ['/limited', undefined, /^(200\n){5}(429\n){2}$/],
  ['/canary', undefined, /^(.*"version":"v[12]".*\n){20}$/],
  ['/events', undefined, /^(id: \d\nevent: order\ndata: .*\n\n){3}$/],
  ['/ws', undefined, /^HTTP\/1\.1 101 [\s\S]*hello from users/],
  ['/old', undefined, /^HTTP\/2 308 [\s\S]*location: .*\/users\/1/i],
  ['/metrics', undefined, /^meshgate_requests_total\{.*route="orders".*\} \d/m],
];

describe('the first route of the README', () => {
  beforeAll(() => assertFree([8000, 8001, 8007, 3000]));

  it('leads to a service on port 3000', async () => {
    const service = createHttpServer((_request, response) => response.end('mine'));
    await once(service.listen(3000, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      service.close();
      service.closeAllConnections();
    });
    const [yaml] = blocksOf('Your first route', 'yaml');
    const file = join(await createFolder(), 'meshgate.yaml');
    await writeFile(file, yaml!);
    // Saved elsewhere, lest a file of the user's in the checkout be overwritten.
    const program = new Program(['src/main.ts', 'start'], {
      command: ['npx', 'node'],
      env: { ...ENV, MESHGATE_CONFIG: file },
      group: true,
    });
    await untilServing(program);
    expect(await (await fetch('http://127.0.0.1:8000/anything')).text()).toBe('mine');
    program.signal('SIGTERM');
    await program.ended;
  });
});
