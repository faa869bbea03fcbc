import type { StdioOptions } from 'node:child_process';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  createFolder,
  eventually,
  Program,
  startMeshgate,
  toConfig,
  UNHURRIED,
  writeConfig,
  type GatewayProcess,
} from './gateway-process.ts';
import { startLoad } from './load.ts';
import { startOrigin } from './origin.ts';
import { mountSmallDisk } from './small-disk.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const DROPPED = 'meshgate_log_lines_dropped_total';
/** Its path is in the line: what may wait, 8 MiB, is soon reached. */
const LONG_PATH = `/${'x'.repeat(7000)}`;

async function startLogging(path?: string): Promise<GatewayProcess> {
  const origin = await startOrigin();
  const accessLog = { format: 'json', ...(path !== undefined && { path }) };
  const file = await writeConfig(
    await createFolder(),
    toConfig(origin.port, { telemetry: { accessLog } }),
  );
  return startMeshgate(file, { env: UNHURRIED });
}

/** Asks until lines have been dropped; nothing may fail meanwhile. Returns how often it has asked. */
async function askUntilDropped(gateway: GatewayProcess): Promise<number> {
  const load = startLoad({ port: gateway.portOf('http'), path: LONG_PATH });
  await eventually(async () => {
    await load.more(50);
    return load.failures.length > 0 || (await gateway.metric(DROPPED)) > 0 ? true : undefined;
  });
  await load.stop();
  expect(load.failures).toEqual([]);
  return load.succeeded;
}

async function stop(gateway: GatewayProcess): Promise<void> {
  gateway.program.signal('SIGTERM');
  expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
}

describe('an access log on a full disk', () => {
  it('drops and counts lines while traffic goes on, and is whole again when there is room', async (context) => {
    const disk = await mountSmallDisk(context, 'size=32m');
    const path = join(disk.path, 'access.log');
    const gateway = await startLogging(path);
    const logged = (): Promise<string[]> =>
      readFile(path, 'utf8').then((text) => text.split('\n').slice(0, -1));
    const load = startLoad({ port: gateway.portOf('http'), http1: 1, http2: 0 });
    await load.more(100);
    await load.stop();
    await eventually(async () => ((await logged()).length === load.succeeded ? true : undefined));

    await disk.fill();
    const asked = await askUntilDropped(gateway);
    await gateway.program.said('stderr', /ENOSPC.*the access log cannot be written/);

    await disk.empty();
    await gateway.program.said('stderr', /the access log is written again/);
    const last = `/last/${'x'.repeat(10)}`;
    await fetch(`${gateway.url}${last}`);
    await eventually(async () => ((await logged()).at(-1)?.includes(last) ? true : undefined));
    const lines = (await logged()).map((line) => JSON.parse(line) as { status: number });
    const dropped = await gateway.metric(DROPPED);
    expect(dropped).toBeGreaterThan(0);
    expect(lines.length + dropped).toBe(load.succeeded + asked + 1);
    await stop(gateway);
  });
});

describe('an access log on standard output', () => {
  it('whose reader has gone changes nothing for traffic', async () => {
    const gateway = await startLogging();
    gateway.program.child.stdout!.destroy();
    expect(await askUntilDropped(gateway)).toBeGreaterThan(1000);
    await gateway.program.said('stderr', /EPIPE.*the access log cannot be written/);
    await stop(gateway);
  });

  it('whose reader reads no more drops lines, and holds up neither traffic nor the end', async () => {
    const gateway = await startLogging();
    gateway.program.child.stdout!.pause();
    await askUntilDropped(gateway);
    await gateway.program.said('stderr', /written faster than it is taken/);
    gateway.program.signal('SIGTERM');
    await eventually(async () => (gateway.program.child.exitCode === null ? undefined : true));
    expect(gateway.program.child.exitCode).toBe(0);
    gateway.program.child.stdout!.resume();
  });

  it('has a line for each request, and the last ones at the end', async () => {
    const gateway = await startLogging();
    const load = startLoad({ port: gateway.portOf('http') });
    await load.more(100);
    await load.stop();
    await stop(gateway);
    const lines = gateway.program.stdout.split('\n').filter((line) => line.startsWith('{'));
    expect(lines.map((line) => (JSON.parse(line) as { status: number }).status)).toEqual(
      Array.from({ length: load.succeeded }, () => 200),
    );
  });
});

describe('standard error on a full disk', () => {
  it('ends nothing', async () => {
    const origin = await startOrigin();
    const full: FileHandle = await open('/dev/full', 'w');
    onTestFinished(() => full.close());
    const telemetry = { accessLog: { format: 'json', path: '/dev/full' } };
    const file = await writeConfig(await createFolder(), toConfig(origin.port, { telemetry }));
    const stdio: StdioOptions = ['ignore', 'pipe', full.fd];
    const gateway = await startMeshgate(file, { stdio, env: UNHURRIED });
    const load = startLoad({ port: gateway.portOf('http') });
    await load.more(200);
    await load.stop();
    expect(load.failures).toEqual([]);
    await stop(gateway);
  });

  it('nor does standard output, where a start is told', async () => {
    const origin = await startOrigin();
    const full: FileHandle = await open('/dev/full', 'w');
    onTestFinished(() => full.close());
    const file = await writeConfig(await createFolder(), toConfig(origin.port));
    const program = new Program(['start', '--config', file], {
      stdio: ['ignore', full.fd, 'pipe'],
    });
    await program.said('stderr', /configuration applied/);
    program.signal('SIGTERM');
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });
});
