import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProcessKeeper } from '../../load-tests/process-keeper.ts';

const NODE = process.execPath;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshgate-keeper-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** A process that has ended may wait for whoever adopted it to take notice: state Z. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
}

/** Of a file, once there is one. */
async function firstLine(file: string): Promise<string> {
  for (;;) {
    const text = await readFile(file, 'utf8');
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'));
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

// It binds processes to cores, which only Linux can.
describe.runIf(process.platform === 'linux')('the processes of the bench', () => {
  it('are run to their end, and their output is had', async () => {
    const keeper = new ProcessKeeper();
    const hello = [NODE, '-p', '"hello " + process.env.WHO'];
    expect(await keeper.run(hello, { core: 0, env: { WHO: 'you' } })).toBe('hello you\n');
    const failing = [NODE, '-e', 'console.error("no"); process.exit(3)'];
    await expect(keeper.run(failing, { core: 0 })).rejects.toThrow('ended with 3: no');
  });

  it('end all together, with what they have started and what ignores SIGTERM', async () => {
    const keeper = new ProcessKeeper();
    const log = join(folder, 'stubborn.log');
    const script =
      'const { spawn } = require("child_process"); process.on("SIGTERM", () => process.exit(0)); const child = spawn(process.execPath, ["-e", "process.on(\\"SIGTERM\\", () => {}); console.log(process.pid); setInterval(() => {}, 1000)"], { stdio: "inherit" });';
    const server = await keeper.start([NODE, '-e', script], log, { core: 0 });
    const child = Number(await firstLine(log));
    expect(await isRunning(child)).toBe(true);
    await keeper.stopAll();
    expect(await isRunning(server.pid)).toBe(false);
    await expect.poll(() => isRunning(child)).toBe(false);
    await expect(keeper.run([NODE, '-v'], { core: 0 })).rejects.toThrow('the bench is ending');
  });

  it('tell why they have ended by themselves', async () => {
    const keeper = new ProcessKeeper();
    const log = join(folder, 'failing.log');
    const command = [NODE, '-e', 'console.log("port taken"); process.exit(1)'];
    const server = await keeper.start(command, log, { core: 0 });
    await expect
      .poll(() => server.fault(), { timeout: 10_000 })
      .toMatch(/^ended with 1: port taken/);
  });
});
