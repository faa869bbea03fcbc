import { afterEach, describe, expect, it } from 'vitest';
import { top } from '../../src/cli/top.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { startAdmin, stopAdminsAfterEach, type TestAdmin } from '../admin/admin-fixture.ts';
import { envOf, runAdminVerb, tellEdges } from './admin-verbs.ts';

stopAdminsAfterEach();

describe('meshgate top, where the output is no terminal', () => {
  it.each([[[]], [['--once']]])('prints one table: %j', async (argv) => {
    const admin = await startAdmin();
    await tellEdges(admin);
    expect(await runAdminVerb(admin, top, ...argv)).toEqual({
      code: 0,
      stdout: `SOURCE   DESTINATION  REQ/S  ERRORS     P50    P99  NODES
gateway  orders         100    2.0%  7.9 ms  1.5 s      1
users    orders         2.0     10%  7.9 ms  1.5 s      1
`,
      stderr: '',
    });
  });

  it('prints the edges as JSON', async () => {
    const admin = await startAdmin();
    await tellEdges(admin);
    const { stdout } = await runAdminVerb(admin, top, '--json');
    expect(JSON.parse(stdout)).toMatchObject([
      { source: 'gateway', destination: 'orders', requests_per_second: 100, error_ratio: 0.02 },
      { source: 'users', destination: 'orders', requests_per_second: 2, nodes: ['n1'] },
    ]);
  });

  it('ends with 2 for an argument', async () => {
    await expect(runAdminVerb(await startAdmin(), top, 'orders')).rejects.toMatchObject({
      code: 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL',
    });
  });
});

/** A terminal that a test holds in its hands. */
class TestTerminal implements Terminal {
  columns = 100;
  rows = 10;
  resized: (() => void) | undefined;
  left: (() => void) | undefined;
  written = '';
  onWritten: (() => void) | undefined;

  onResize(listener: () => void): () => void {
    this.resized = listener;
    return () => (this.resized = undefined);
  }

  onLeave(listener: () => void): () => void {
    this.left = listener;
    return () => (this.left = undefined);
  }

  /** Resolves once it was written so. */
  async shows(what: RegExp): Promise<void> {
    while (!what.test(this.written)) {
      await new Promise<void>((resolve) => (this.onWritten = resolve));
    }
  }
}

let terminal: TestTerminal;
let stderr: string;
let running: Promise<number>;

function start(admin: TestAdmin, token = admin.token): void {
  terminal = new TestTerminal();
  stderr = '';
  running = top.run([], {
    stdout: {
      write(text) {
        terminal.written += text;
        terminal.onWritten?.();
      },
    },
    stderr: { write: (text) => (stderr += text) },
    env: { ...envOf(admin), MESHGATE_TOKEN: token },
    cwd: '/',
    terminal,
  });
}

afterEach(() => terminal?.left?.());

const ENTER = '\u001B[?1049h\u001B[?25l';
const LEAVE = '\u001B[?25h\u001B[?1049l';

describe('meshgate top, on a terminal', () => {
  it('draws on a screen of its own, and leaves it as it was', async () => {
    const admin = await startAdmin();
    await tellEdges(admin);
    start(admin);
    await terminal.shows(/gateway {2}orders/);
    expect(terminal.written.startsWith(ENTER)).toBe(true);
    expect(terminal.written).not.toContain(LEAVE);
    terminal.left!();
    expect(await running).toBe(0);
    expect(terminal.written.endsWith(LEAVE)).toBe(true);
    expect([terminal.left, terminal.resized, stderr]).toEqual([undefined, undefined, '']);
  });

  it('shows what is new every two seconds', async () => {
    const admin = await startAdmin();
    await tellEdges(admin);
    start(admin);
    await terminal.shows(/ 100 /);
    await tellEdges(admin, 20_000);
    await terminal.shows(/ 4000 /);
    terminal.left!();
    expect(await running).toBe(0);
  });

  it('is drawn anew at once in another size', async () => {
    const admin = await startAdmin();
    await tellEdges(admin);
    start(admin);
    await terminal.shows(/users {4}orders/);
    terminal.written = '';
    terminal.columns = 12;
    terminal.rows = 4;
    terminal.resized!();
    const sequences = new RegExp(`${String.fromCharCode(27)}\\[[0-9?]*[A-Za-z]`, 'g');
    const lines = terminal.written.replaceAll(sequences, '').split('\r\n');
    expect(lines).toEqual(['http://127.…', '', 'SOURCE   DE…', '… 2 more']);
    terminal.left!();
    await running;
  });

  it('keeps what it knows while no admin API answers, and says so', async () => {
    const admin = await startAdmin();
    await tellEdges(admin);
    start(admin);
    await terminal.shows(/users {4}orders/);
    await admin.stop();
    terminal.written = '';
    await terminal.shows(/no admin API can be reached at .* \(ECONNREFUSED\)\.[\s\S]*gateway/);
    terminal.left!();
    expect(await running).toBe(0);
  });

  it('touches the terminal only once there is something to draw', async () => {
    const admin = await startAdmin();
    start(admin, 'mg_wrong');
    expect(await running).toBe(1);
    expect(terminal.written).toBe('');
    expect(stderr).toContain('does not know the token');
  });
});
