import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { check } from '../../../src/cli/check.ts';
import { diff } from '../../../src/cli/diff.ts';
import { createExplain } from '../../../src/cli/explain.ts';
import { runCli } from '../../../src/cli/run.ts';
import { createStart } from '../../../src/cli/start.ts';
import { createFolder, runMeshgate, toConfig, writeConfig } from './gateway-process.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

async function takePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const noApp = (): never => {
  throw new Error('no app was asked for');
};
const silent = pino({ level: 'silent' });
const verbs = [createStart(noApp, silent), check, diff, createExplain(noApp)];

/** The command line without the second that a process takes to start. */
async function run(argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(argv, verbs, manifest.version, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: {},
    cwd: '/',
  });
  return { code, out, err };
}

describe('misuse', () => {
  it.each([
    { argv: [], says: /start +Run the gateway/ },
    { argv: ['begin'], says: /there is no verb "begin"\n/ },
    { argv: ['strat'], says: /there is no verb "strat"; did you mean "start"\?/ },
    {
      argv: ['check', '--jsn', 'x'],
      says: /: there is no option --jsn; did you mean "--json"\?\n\n/,
    },
    { argv: ['check', '-x', 'x'], says: /: there is no option -x\n\n/ },
    { argv: ['start', '--cofnig', 'x'], says: /--cofnig[\s\S]*meshgate start \[/ },
    { argv: ['start', '--config'], says: /--config[\s\S]*meshgate start \[/ },
    { argv: ['start', 'meshgate.yaml'], says: /meshgate start \[/ },
    { argv: ['check'], says: /meshgate check FILE/ },
    { argv: ['diff', '--all'], says: /--all[\s\S]*meshgate diff FILE/ },
    { argv: ['explain', 'GET'], says: /METHOD and an absolute URL/ },
  ] as const)('of $argv is explained and ends with 2', async ({ argv, says }) => {
    const { code, out, err } = await run(argv);
    expect(code).toBe(2);
    expect(out + err).toMatch(says);
  });

  it('is the exit code of the process', async () => {
    const { code, stdout, stderr } = await runMeshgate(['begin']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('there is no verb "begin"');
  });
});

describe('help', () => {
  it.each([['--help'], ['-h'], ['help']])('lists every verb: %s', async (word) => {
    const { code, out } = await run([word]);
    expect(code).toBe(0);
    for (const { name, summary } of verbs) expect(out).toMatch(new RegExp(`${name} +${summary}`));
  });

  it.each(verbs)('of $name gives its usage', async ({ name }) => {
    const { code, out, err } = await run([name, '--help']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`meshgate ${name}`);
    expect(out).toMatch(/Examples?:/);
  });

  it('tells the version of the manifest', async () => {
    expect(await runMeshgate(['--version'])).toMatchObject({
      code: 0,
      stdout: `${manifest.version}\n`,
    });
  });
});

describe('a start that cannot be', () => {
  it('shows every error of the configuration with its place, and ends with 1', async () => {
    const file = join(await createFolder(), 'bad.yaml');
    await writeFile(
      file,
      `meshgate: 1
listeners: [{ name: http, adress: 127.0.0.1:0 }]
routes:
  - { name: a, match: [{ path: /a }], to: nowhere }
  - { name: a, match: [{ path: /b }], timeout: soon }
`,
    );
    const { code, stdout, stderr } = await runMeshgate(['start', '--config', file]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(`${file}:2:27 `);
    expect(stderr).toContain('did you mean "address"');
    expect(stderr).toContain(`${file}:5:48 `);
    expect(stderr).toContain('nothing was started');
  });

  it('says which file is missing, and ends with 1', async () => {
    const { code, stderr } = await runMeshgate(['start'], { cwd: await createFolder() });
    expect(code).toBe(1);
    expect(stderr).toContain('meshgate.yaml');
  });

  it('takes the file from MESHGATE_CONFIG', async () => {
    const cwd = await createFolder();
    const { code, stderr } = await runMeshgate(['start'], {
      cwd,
      env: { MESHGATE_CONFIG: 'elsewhere.yaml' },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(join(cwd, 'elsewhere.yaml'));
  });

  it.each([
    {
      door: 'a listener',
      taken: (port: number) => ({
        listeners: [{ name: 'http', address: `127.0.0.1:${port}`, protocol: 'http' }],
      }),
    },
    {
      door: 'the status server',
      taken: (port: number) => ({ status: { address: `127.0.0.1:${port}` } }),
    },
  ])('names the port of $door that is taken and the remedy, and ends with 1', async ({ taken }) => {
    const port = await takePort();
    const file = await writeConfig(await createFolder(), toConfig(1, taken(port)));
    const { code, stdout, stderr } = await runMeshgate(['start', '--config', file]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).not.toContain('configuration applied');
    expect(stderr).toMatch(
      new RegExp(`127\\.0\\.0\\.1:${port}: another program.*EADDRINUSE.*another address`),
    );
  });
});

describe('a runtime below the floor', () => {
  it('is refused with 2 and the reason', async () => {
    const cwd = await createFolder();
    const old = join(cwd, 'old.mjs');
    await writeFile(
      old,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '24.20.9' } });`,
    );
    const { code, stderr } = await runMeshgate(['--version'], { preload: old });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /Node\.js 24\.21 or later is needed and this is 24\.20\.9.*CVE-2026-58044/,
    );
  });
});
