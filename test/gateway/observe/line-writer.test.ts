import { execFile, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLineWriter, type LineWriter } from '../../../src/gateway/observe/line-writer.ts';

interface Watched {
  readonly writer: LineWriter;
  readonly failures: readonly string[];
  /** What was dropped when it was well again. */
  readonly recoveries: readonly number[];
}

function watch(path: string, maxWaiting?: number): Watched {
  const failures: string[] = [];
  const recoveries: number[] = [];
  const writer = createLineWriter({
    path,
    onFailure: ({ message }) => failures.push(message),
    onRecovery: (dropped) => recoveries.push(dropped),
    flushIntervalMs: 5,
    lookIntervalMs: 5,
    ...(maxWaiting !== undefined && { maxWaiting }),
  });
  onTestFinished(() => writer.close());
  return { writer, failures, recoveries };
}

/** Of each writer to one pipe. */
const LINES = 1000;

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'meshgate-lines-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('a line writer', () => {
  it('writes lines in their order, whatever their number', async () => {
    const path = join(await createFolder(), 'a/b/access.log');
    const { writer, failures } = watch(path);
    const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${'ü'.repeat(i % 97)}\n`);
    // Before the start, and after.
    for (const line of lines.slice(0, 10)) writer.write(line);
    writer.start();
    for (const line of lines.slice(10)) writer.write(line);
    await writer.close();
    expect(await readFile(path, 'utf8')).toBe(lines.join(''));
    expect([failures, writer.dropped]).toEqual([[], 0]);
  });

  it('writes a single line within its interval', async () => {
    const path = join(await createFolder(), 'access.log');
    const { writer } = watch(path);
    writer.start();
    writer.write('one\n');
    await vi.waitFor(async () => expect(await readFile(path, 'utf8')).toBe('one\n'));
  });

  it('leaves a pipe that others write to at the end of a line, whenever it is read', async () => {
    const folder = await createFolder();
    const script = join(folder, 'writer.ts');
    const module = join(import.meta.dirname, '../../../src/gateway/observe/line-writer.ts');
    await writeFile(
      script,
      `import { createLineWriter } from ${JSON.stringify(module)};
      const ignore = () => undefined;
      const options = { path: undefined, isShared: true, onFailure: ignore, onRecovery: ignore };
      const writer = createLineWriter(options);
      for (let i = 0; i < ${LINES}; i++) writer.write(process.argv[2] + ' ' + i + 'x'.repeat(i % 900) + '\\n');
      writer.start();
      await writer.close();`,
    );
    // A pipe and no pair of sockets, which is what spawn makes.
    const path = join(folder, 'pipe');
    await promisify(execFile)('mkfifo', [path]);
    const [reader, output] = await Promise.all([open(path, 'r'), open(path, 'w')]);
    // Two of them on one pipe, as workers have it, each with far more than the pipe takes.
    const writers = ['a', 'b'].map((name) => {
      const stdio: StdioOptions = ['ignore', output.fd, 'inherit'];
      return spawn(process.execPath, [script, name], { stdio });
    });
    onTestFinished(() => {
      for (const writer of writers) writer.kill('SIGKILL');
    });
    await output.close();

    // Larger than a pipe: each read takes all there is, and ends where somebody's write has ended.
    const buffer = Buffer.alloc(1024 * 1024);
    const pieces: string[] = [];
    for (;;) {
      const { bytesRead } = await reader.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      pieces.push(buffer.toString('latin1', 0, bytesRead));
    }
    await reader.close();
    expect(pieces.filter((piece) => !piece.endsWith('\n'))).toEqual([]);
    const lines = pieces.join('').split('\n').slice(0, -1);
    for (const name of ['a', 'b']) {
      const own = lines.filter((line) => line.startsWith(name));
      expect(own).toEqual(
        Array.from({ length: LINES }, (_, i) => `${name} ${i}${'x'.repeat(i % 900)}`),
      );
    }
  });

  it('appends to what is there', async () => {
    const path = join(await createFolder(), 'access.log');
    await writeFile(path, 'before\n');
    const { writer } = watch(path);
    writer.start();
    writer.write('after\n');
    await writer.close();
    expect(await readFile(path, 'utf8')).toBe('before\nafter\n');
  });

  it('drops and counts what does not fit while the disk is full, and tells it once', async () => {
    const { writer, failures, recoveries } = watch('/dev/full', 100);
    writer.start();
    writer.write(`${'x'.repeat(59)}\n`);
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    expect(failures[0]).toContain('ENOSPC');
    for (let i = 0; i < 10; i++) writer.write(`${'y'.repeat(39)}\n`);
    // The first is being written; two more may wait.
    expect(writer.dropped).toBe(8);
    await writer.close();
    expect(writer.dropped).toBe(11);
    expect([failures.length, recoveries]).toEqual([1, []]);
  });

  it('goes on once its path can be opened, with nothing lost that could wait', async () => {
    const folder = await createFolder();
    await writeFile(join(folder, 'logs'), 'in the way of the folder');
    const path = join(folder, 'logs/access.log');
    const { writer, failures, recoveries } = watch(path);
    writer.start();
    writer.write('one\n');
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    await rm(join(folder, 'logs'));
    await vi.waitFor(() => expect(recoveries).toEqual([0]));
    writer.write('two\n');
    await writer.close();
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
  });

  it('follows its path when the file is moved away, and loses nothing', async () => {
    const folder = await createFolder();
    const path = join(folder, 'access.log');
    const { writer, failures } = watch(path);
    writer.start();
    writer.write('one\n');
    await vi.waitFor(async () => expect(await readFile(path, 'utf8')).toBe('one\n'));
    await rename(path, join(folder, 'access.log.1'));
    // As logrotate does by `create`, though not always before the next line.
    await writeFile(path, '');
    await vi.waitFor(async () => {
      writer.write('x\n');
      expect(await readFile(path, 'utf8')).toMatch(/x/);
    });
    await rename(path, join(folder, 'access.log.2'));
    await vi.waitFor(async () => {
      writer.write('y\n');
      expect(await readFile(path, 'utf8')).toMatch(/y/);
    });
    await writer.close();
    const parts = ['access.log.1', 'access.log.2', 'access.log'];
    const texts = await Promise.all(parts.map((name) => readFile(join(folder, name), 'utf8')));
    expect(texts.join('')).toMatch(/^one\n(x\n)+(y\n)+$/);
    expect([failures, writer.dropped]).toEqual([[], 0]);
  });

  it('opens its path anew when told to', async () => {
    const folder = await createFolder();
    const path = join(folder, 'access.log');
    const { writer } = watch(path);
    writer.start();
    writer.write('one\n');
    await vi.waitFor(async () => expect(await readFile(path, 'utf8')).toBe('one\n'));
    await rename(path, join(folder, 'old'));
    writer.reopen();
    await vi.waitFor(async () => expect(await readFile(path, 'utf8')).toBe(''));
    writer.reopen();
    writer.write('two\n');
    await writer.close();
    expect(await readFile(path, 'utf8')).toBe('two\n');
    expect(await readFile(join(folder, 'old'), 'utf8')).toBe('one\n');
  });

  it('closes where it was never started, and twice', async () => {
    const path = join(await createFolder(), 'access.log');
    await watch(path).writer.close();
    const { writer } = watch(path);
    writer.start();
    writer.write('one\n');
    await Promise.all([writer.close(), writer.close()]);
    expect(await readFile(path, 'utf8')).toBe('one\n');
  });

  it.each([
    ['closed', 'await writer.close();'],
    ['left open', ''],
  ])(
    'keeps no process whose output nobody reads, %s',
    async (_, ending) => {
      const module = new URL('../../../src/gateway/observe/line-writer.ts', import.meta.url);
      const program = `
        import { createLineWriter } from ${JSON.stringify(module.href)};
        const quiet = { onFailure() {}, onRecovery() {}, flushIntervalMs: 5 };
        const writer = createLineWriter({ path: undefined, ...quiet });
        writer.start();
        // More than the pipe takes.
        for (let i = 0; i < 2_000; i++) writer.write('x'.repeat(1_000) + '\\n');
        ${ending}`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
      onTestFinished(() => void child.kill('SIGKILL'));
      const [code] = (await once(child, 'exit')) as [number | null];
      expect(code).toBe(0);
    },
    20_000,
  );
});
