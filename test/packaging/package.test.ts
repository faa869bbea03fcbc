import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { CHECKOUT, Program, untilServing } from '../integration/process/gateway-process.ts';
import { freePorts } from '../redis/free-port.ts';
import { RedisProcess } from '../redis/redis-process.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const run = promisify(execFile);
const BIN = join(CHECKOUT, 'node_modules/.bin');
/** npm's own scripts find the Node.js that the checkout brings, and so does `npx` in a folder that has none. */
const ENV = { ...process.env, PATH: [BIN, process.env['PATH']].join(delimiter) };

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let folder: string;
let tarball: string;
let packed: Packed;

const CONFIG = `meshgate: 1
listeners: [{ name: http, address: 127.0.0.1:0, protocol: http }]
status: { address: 127.0.0.1:0 }
admin: { address: 127.0.0.1:0 }
telemetry: { accessLog: false }
routes: [{ name: hello, match: [{ path: /hello }], respond: { status: 200, body: REPLY } }]
`;

const PLUGIN = `import { definePlugin, problem, Type, type PluginHooks } from 'meshgate/plugin';

export const requireTenant = definePlugin({
  name: 'require-tenant',
  config: Type.Object({ header: Type.String({ default: 'x-tenant' }) }),
  stage: 'authorize',
  create: (config): PluginHooks => ({
    onRequest(exchange) {
      // @ts-expect-error -- its type comes from the schema
      void config.heder;
      const header: string = config.header;
      return exchange.request.headers.has(header) ? undefined : problem(400, 'tenant_missing');
    },
  }),
});

console.log(requireTenant.name, problem(400, 'tenant_missing').code);
`;

const EMBEDDING = `import { createApp, type App, type AppOptions } from 'meshgate';

const quiet = (): void => undefined;
const log: AppOptions['log'] = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const app: App = await createApp({ configFile: 'meshgate.yaml', env: {}, log });
const { listeners } = await app.start();
const response = await fetch(\`http://127.0.0.1:\${listeners[0]?.port}/hello\`);
console.log(response.status, await response.text());
await app.stop();
`;

/** The two programs of the client's page. */
const PAGE = await readFile(join(CHECKOUT, 'docs/client.md'), 'utf8');
const [SERVICE, CALLER] = Array.from(PAGE.matchAll(/^```js\n(.*?)^```/gms), ([, code]) => code!);
/** Its shorter pieces, each with what it takes for granted. */
const PIECES = Array.from(PAGE.matchAll(/^```ts\n(.*?)^```/gms), ([, code]) => code!);
const TAKEN_FOR_GRANTED = `import type { FastifyInstance } from 'fastify';
import type { Mesh } from 'meshgate/client';

declare const mesh: Mesh;
declare const app: FastifyInstance;
export { app, mesh };
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshgate-package-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: CHECKOUT,
    env: ENV,
  });
  [packed] = JSON.parse(stdout) as [Packed];
  tarball = join(folder, packed.filename);
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball];
  await run('npm', install, { cwd: folder, env: ENV });
  await writeFile(join(folder, 'meshgate.yaml'), CONFIG);
  // It compiles, packs and installs: a minute where others want the processors too.
}, 180_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the package', () => {
  it('has what it runs from and what people read, and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'dist/main.js',
        'dist/app.d.ts',
        'dist/plugins/sdk/plugin.d.ts',
        'dist/client/client.d.ts',
        'dist/fastify/fastify.d.ts',
        'dist/gateway/config/load-thread.js',
        'config/meshgate.yaml',
        'config/meshgate.schema.json',
        'config/openapi.json',
        'config/examples/complete.yaml',
        'package.json',
        'README.md',
        'CHANGELOG.md',
        'LICENSE',
      ]),
    );
    const known =
      /^(dist\/.+(\.js|\.d\.ts)|docs\/[a-z-]+\.md|src\/.+\/README\.md|config\/.+\.(yaml|json)|package\.json|[A-Z]+(\.md)?)$/;
    expect(paths.filter((path) => !known.test(path))).toEqual([]);
  });

  it('has every page that its pages lead to', async () => {
    const paths = new Set(packed.files.map(({ path }) => path));
    const pages = [...paths].filter((path) => /^(README|docs\/.*)\.md$|^README\.md$/.test(path));
    expect(pages.length).toBeGreaterThan(8);
    const missing: string[] = [];
    for (const page of pages) {
      const text = await readFile(join(CHECKOUT, page), 'utf8');
      for (const [, link] of text.matchAll(/\]\(([^)#:]+\.md)(?:#[^)]*)?\)/g)) {
        const target = posix.join(posix.dirname(page), link!);
        // How to measure is for a checkout.
        if (!paths.has(target) && target !== 'load-tests/README.md') missing.push(target);
      }
    }
    expect(missing).toEqual([]);
  });

  it('is found in order by publint', async () => {
    const bytes = await readFile(tarball);
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(bytes).buffer },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg as object))).toEqual([]);
  });

  it('has types that are where importers look for them', async () => {
    // CommonJS is not served.
    const looked = run(join(BIN, 'attw'), [tarball, '--profile', 'esm-only'], { env: ENV });
    const found = await looked.then(
      () => 'nothing',
      ({ stdout }: { stdout: string }) => stdout,
    );
    expect(found).toBe('nothing');
  });
});

describe('installed into an empty folder', () => {
  it('is started by npx, answers, and takes a change of its configuration', async () => {
    const program = new Program(['start', '--config', 'meshgate.yaml'], {
      command: ['npx', '--no-install', 'meshgate'],
      cwd: folder,
      env: ENV,
      group: true,
    });
    const gateway = await untilServing(program);
    const ask = async (): Promise<string> => (await fetch(`${gateway.url}/hello`)).text();
    expect(await ask()).toBe('REPLY');
    await writeFile(join(folder, 'meshgate.yaml'), CONFIG.replace('REPLY', 'changed'));
    await gateway.reloaded(({ revision }) => revision === 2);
    expect(await ask()).toBe('changed');
    program.signal('SIGTERM');
    await program.said('stderr', /"msg":"draining"/);
    await program.ended;
  });

  it('serves with workers, which are replaced on SIGUSR2 by what is installed', async () => {
    await writeFile(join(folder, 'workers.yaml'), `${CONFIG}node: { workers: 2 }\n`);
    const program = new Program(['start', '--config', 'workers.yaml'], {
      command: ['node', 'node_modules/meshgate/dist/main.js'],
      cwd: folder,
      env: ENV,
    });
    const gateway = await untilServing(program);
    const entries = async (): Promise<string[]> => {
      const { stdout } = await run('pgrep', ['-a', '-P', String(program.child.pid)]);
      return stdout.trimEnd().split('\n');
    };
    const before = await entries();
    expect(before).toEqual([
      expect.stringContaining('/node_modules/meshgate/dist/app/worker-process.js'),
      expect.stringContaining('/node_modules/meshgate/dist/app/worker-process.js'),
    ]);
    const ask = async (): Promise<string> => (await fetch(`${gateway.url}/hello`)).text();
    expect(await ask()).toBe('REPLY');
    program.signal('SIGUSR2');
    await program.said('stderr', /all workers have been replaced/);
    const after = await entries();
    expect([after.length, after.filter((entry) => before.includes(entry))]).toEqual([2, []]);
    expect(await ask()).toBe('REPLY');
    program.signal('SIGTERM');
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });

  it('tells its version', async () => {
    const { stdout } = await run('npx', ['--no-install', 'meshgate', '--version'], {
      cwd: folder,
      env: ENV,
    });
    expect(stdout).toBe(`${manifest.version}\n`);
  });

  it('checks the examples that it brings', async () => {
    const example = 'node_modules/meshgate/config/examples/canary.yaml';
    const { stdout } = await run('npx', ['--no-install', 'meshgate', 'check', example], {
      cwd: folder,
      env: ENV,
    });
    expect(stdout).toBe(`${example}: ok\n`);
  });

  it('lets a plugin and an embedding program be type-checked and run', async () => {
    await writeFile(join(folder, 'plugin.ts'), PLUGIN);
    await writeFile(join(folder, 'embedding.ts'), EMBEDDING);
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2024',
          strict: true,
          noEmit: true,
          // As installed beside it by whoever writes TypeScript for Node.js.
          typeRoots: [join(CHECKOUT, 'node_modules/@types')],
          types: ['node'],
        },
        files: ['plugin.ts', 'embedding.ts'],
      }),
    );
    const checked = run(join(BIN, 'tsc'), ['-p', folder], { env: ENV }).catch(
      (found: { stdout: string }) => found,
    );
    await writeFile(join(folder, 'meshgate.yaml'), CONFIG);
    const options = { cwd: folder, env: ENV };
    expect((await run('node', ['plugin.ts'], options)).stdout).toBe(
      'require-tenant tenant_missing\n',
    );
    expect((await run('node', ['embedding.ts'], options)).stdout).toBe('200 REPLY\n');
    expect((await checked).stdout).toBe('');
  });

  it('lets applications into the mesh, as the page of the client has them', async () => {
    const redis = await RedisProcess.start();
    onTestFinished(() => redis.stop());
    const [orders, shop] = await freePorts(2);
    const start = async (name: string, code: string): Promise<Program> => {
      const here = code
        .replaceAll('6379', String(redis.port))
        .replaceAll('3001', String(orders))
        .replaceAll('3000', String(shop));
      await writeFile(join(folder, name), here);
      return new Program([name], { command: ['node'], cwd: folder, env: ENV });
    };
    const service = await start('orders.js', SERVICE!);
    await service.said('stdout', new RegExp(`^orders is in the mesh as .*:${orders}$`, 'm'));
    const caller = await start('shop.js', CALLER!);
    const ask = async (path: string): Promise<string> => {
      return (await fetch(`http://127.0.0.1:${shop}${path}`)).text();
    };
    await expect.poll(() => ask('/summary').catch(() => ''), { timeout: 30_000 }).not.toBe('');
    expect(await ask('/summary')).toBe('{"order":"order /7"}');
    expect(await ask('/orders/8')).toBe('order /8');
    for (const program of [caller, service]) {
      program.signal('SIGTERM');
      expect(await program.ended).toEqual({ code: 0, signal: null });
      expect(program.stderr).toBe('');
    }
  });

  it('has types by which applications in the mesh are checked', async () => {
    const app = join(folder, 'typed');
    await mkdir(app);
    const files = ['orders.ts', 'shop.ts', ...PIECES.map((_, i) => `piece-${i}.ts`)];
    const texts = [SERVICE!, CALLER!, ...PIECES.map((piece) => `${TAKEN_FOR_GRANTED}${piece}`)];
    await Promise.all(files.map((file, i) => writeFile(join(app, file), texts[i]!)));
    await writeFile(
      join(app, 'wrong.ts'),
      `import { createMesh } from 'meshgate/client';
// @ts-expect-error -- a number of milliseconds
createMesh({ redis: '', services: { orders: { timeouts: { connectMs: '2s' } } } });
// @ts-expect-error -- there has to be one
createMesh({});
`,
    );
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2024',
      // With the DOM's types there is no `dispatcher` in `fetch`.
      lib: ['es2024'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      typeRoots: [join(CHECKOUT, 'node_modules/@types')],
      types: ['node'],
    };
    const check = async (options: object, checked: readonly string[]): Promise<string> => {
      const config = { compilerOptions: { ...compilerOptions, ...options }, files: checked };
      await writeFile(join(app, 'tsconfig.json'), JSON.stringify(config));
      const looked = run(join(BIN, 'tsc'), ['-p', app], { env: ENV });
      return (await looked.catch((found: { stdout: string }) => found)).stdout;
    };
    expect(await check({}, ['orders.ts', 'wrong.ts'])).toBe('');
    // The types of @fastify/http-proxy want those of ws, which it does not bring.
    expect(await check({ skipLibCheck: true }, files)).toBe('');
  });

  it('refuses a runtime below its floor with 2, the reason and the remedy, which npx finds', async (context) => {
    const { versions, path } = await findSystemNode();
    if (path === undefined) context.skip(`the machine's Node.js is ${versions}, not an older one`);
    const main = join(folder, 'node_modules/meshgate/dist/main.js');
    const program = new Program(['--version'], { command: [path!, main] });
    expect(await program.ended).toEqual({ code: 2, signal: null });
    expect(program.stderr).toMatch(/Node\.js 24\.21 or later is needed and this is /);
    expect(program.stderr).toMatch(/npm install node@24, then npx meshgate$/m);
    // What `npm install node@24` makes there.
    await symlink(join(BIN, 'node'), join(folder, 'node_modules/.bin/node'));
    const env = { ...process.env, PATH: withoutCheckout() };
    const { stdout } = await run('npx', ['meshgate', '--version'], { cwd: folder, env });
    expect(stdout).toBe(`${manifest.version}\n`);
  });
});

/** `PATH` as a shell outside the checkout has it. */
function withoutCheckout(): string {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => !directory.startsWith(CHECKOUT))
    .join(delimiter);
}

/** The Node.js that a shell would find outside the checkout, where it is an older one. */
async function findSystemNode(): Promise<{ versions: string; path: string | undefined }> {
  for (const directory of withoutCheckout().split(delimiter)) {
    const path = join(directory, 'node');
    const version = await run(path, ['-p', 'process.versions.node']).catch(() => undefined);
    if (version === undefined) continue;
    const isOlder = Number(version.stdout.split('.')[0]) < 24;
    return { versions: version.stdout.trim(), path: isOlder ? path : undefined };
  }
  return { versions: 'none', path: undefined };
}
