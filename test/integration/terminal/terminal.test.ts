import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { VersionReport } from '../../../src/admin/resources/configuration-access.ts';
import { startAdmin, stopAdminsAfterEach } from '../../admin/admin-fixture.ts';
import { envOf, fillMesh, tellEdges } from '../../cli/admin-verbs.ts';
import { startDesk } from '../../cli/configuration-verbs.ts';
import { createFolder } from '../../gateway/config/config-file.ts';
import { HAS_TERMINALS, PseudoTerminal, toPlain } from './pseudo-terminal.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
stopAdminsAfterEach();

const COLOUR = '\u001B[1m';
const ENTER = '\u001B[?1049h\u001B[?25l';
const LEAVE = '\u001B[?25h\u001B[?1049l';
const FIRST = { services: { orders: { endpoints: [{ address: '127.0.0.1:3001' }] } } };
/** Whether lines are edited and keys echoed, as a shell needs it. */
const IS_SANE = 'stty -a | grep -q " icanon" && stty -a | grep -q " echo " && echo sane';

/** An API whose tap goes on, with one request at first. */
async function serveTap(count = 1): Promise<Record<string, string>> {
  const data = JSON.stringify({ time: '2026-01-01T00:00:00.000Z', path: '/a', status: 200 });
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: exchange\ndata: ${data}\n\n`.repeat(count));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { MESHGATE_ADMIN: `http://127.0.0.1:${port}`, MESHGATE_TOKEN: 'x' };
}

describe.skipIf(!HAS_TERMINALS)('on a terminal', () => {
  it.each([
    ['q', 'q'],
    ['Ctrl-C', '\u0003'],
  ])('top is left by %s, and the terminal is as it was', async (_, key) => {
    const admin = await startAdmin();
    await tellEdges(admin);
    const terminal = new PseudoTerminal(`meshgate top; echo code $?; ${IS_SANE}`, {
      env: envOf(admin),
    });
    await terminal.shows(/gateway {2}orders/);
    expect(terminal.written).toContain(ENTER);
    terminal.type(key);
    expect(await terminal.exited).toBe(0);
    expect(terminal.written).toContain(LEAVE);
    expect(toPlain(terminal.written.split(LEAVE)[1]!)).toBe('code 0\nsane\n');
  });

  it('top fits the terminal, also after it was resized', async () => {
    const admin = await startAdmin();
    await tellEdges(admin);
    const terminal = new PseudoTerminal('meshgate top', {
      env: envOf(admin),
      columns: 80,
      rows: 10,
    });
    await terminal.shows(/users {4}orders/);
    const before = terminal.written.length;
    terminal.resize(20, 4);
    await terminal.shows(/… 2 more/, before);
    const drawn = toPlain(terminal.written.slice(before)).split('\n');
    expect(drawn.slice(0, 4).map((line) => line.length <= 20)).toEqual([true, true, true, true]);
    terminal.type('q');
    expect(await terminal.exited).toBe(0);
  });

  it('tap is left by q, and the terminal is as it was', async () => {
    const terminal = new PseudoTerminal(`meshgate tap; echo code $?; ${IS_SANE}`, {
      env: await serveTap(),
    });
    await terminal.shows(/200/);
    terminal.type('q');
    expect(await terminal.exited).toBe(0);
    expect(toPlain(terminal.written)).toBe(
      'requests as they happen (q leaves)\n00:00:00.000 200 - /a\ncode 0\nsane\n',
    );
  });

  it('tap ends with the program that read it, and with Ctrl-C where it is read', async () => {
    const env = await serveTap(20_000);
    const head = new PseudoTerminal('meshgate tap | head -n 2; echo codes ${PIPESTATUS[*]}', {
      env,
    });
    await head.exited;
    expect(toPlain(head.written)).toBe('00:00:00.000 200 - /a\n00:00:00.000 200 - /a\ncodes 0 0\n');
    const cat = new PseudoTerminal('meshgate tap | cat', { env });
    await cat.shows(/200/);
    cat.type('\u0003');
    await cat.exited;
  });

  it('tables are as wide as the terminal, and in colours', async () => {
    const admin = await startAdmin();
    await fillMesh(admin);
    await admin.registry.override('orders', '10.0.0.1:80', { weight: 0.5, drain: true });
    const terminal = new PseudoTerminal('meshgate services', { env: envOf(admin), columns: 80 });
    expect(await terminal.exited).toBe(0);
    expect(terminal.written).toContain(COLOUR);
    const lines = toPlain(terminal.written).trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[1]).toContain('…');
  });

  it.each([
    ['NO_COLOR=1 meshgate services', false],
    ['meshgate services | cat', false],
    ['FORCE_COLOR=1 meshgate services | cat', true],
    ['TERM=dumb meshgate services', false],
  ])('colours of %s: %s', async (command, areThere) => {
    const admin = await startAdmin();
    await fillMesh(admin);
    const terminal = new PseudoTerminal(command, { env: envOf(admin) });
    expect(await terminal.exited).toBe(0);
    expect(terminal.written).toContain('ENDPOINT');
    expect(terminal.written.includes('\u001B[')).toBe(areThere);
  });

  it('a change is shown and asked about, and progress is shown until all nodes run it', async () => {
    const at = '2026-01-01T00:00:00.000Z';
    let isRolledOut = false;
    const rollout = async (version: number): Promise<VersionReport[]> => [
      { node: 'n1', state: 'applied', version, at },
      isRolledOut
        ? { node: 'n2', state: 'applied', version, at }
        : { node: 'n2', state: 'pending', version: version - 1, at },
    ];
    const desk = await startDesk(undefined, { rollout }, FIRST);
    const options = { env: envOf(desk), cwd: desk.folder };
    const terminal = new PseudoTerminal('meshgate apply meshgate.yaml --wait', options);
    await terminal.shows(/Apply 1 change to all nodes\? \[y\/N\] /);
    expect(terminal.written).toContain('\u001B[32m+ routes.orders');
    expect(desk.store.writes).toBe(0);
    terminal.type('y\r');
    await terminal.shows(/version 2: on 1 of 2 nodes[\s\S]*n2: .*pending/);
    isRolledOut = true;
    expect(await terminal.exited).toBe(0);
    const end = '\u001B[3A\r\u001B[Jversion 2 runs on 2 nodes\r\n';
    expect(terminal.written.endsWith(end)).toBe(true);
  });

  it.each([
    ['no', 'n\r', 1],
    ['nothing', '\r', 1],
    ['the end of input', '\u0004', 1],
    ['Ctrl-C', '\u0003', 130],
  ])('a change is left where the answer is %s', async (_, keys, code) => {
    const desk = await startDesk(undefined, {}, FIRST);
    const terminal = new PseudoTerminal('meshgate apply meshgate.yaml', {
      env: envOf(desk),
      cwd: desk.folder,
    });
    await terminal.shows(/\[y\/N\] /);
    terminal.type(keys);
    expect(await terminal.exited).toBe(code);
    expect(desk.store.writes).toBe(0);
  });

  it('a change is asked about where its output goes elsewhere, and not where its input does', async () => {
    const desk = await startDesk(undefined, {}, FIRST);
    const options = { env: envOf(desk), cwd: desk.folder };
    const out = new PseudoTerminal('meshgate apply meshgate.yaml | grep -c routes', options);
    await out.shows(/\[y\/N\] /);
    out.type('n\r');
    await out.exited;
    const piped = new PseudoTerminal('meshgate apply /dev/stdin < meshgate.yaml', options);
    expect(await piped.exited).toBe(2);
    const approved = new PseudoTerminal(
      'cat meshgate.yaml | meshgate apply /dev/stdin -y',
      options,
    );
    expect(await approved.exited).toBe(0);
    expect(desk.store.head()!.version).toBe(2);
  });

  it('says what to set where it has no token', async () => {
    const cwd = await createFolder();
    const terminal = new PseudoTerminal('meshgate history', { cwd });
    expect(await terminal.exited).toBe(1);
    expect(terminal.written).toContain('MESHGATE_TOKEN is not set');
  });
});
