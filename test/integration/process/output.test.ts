import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createFolder, MAIN, Program } from './gateway-process.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const ROUTES = 3000;

async function writeBadFile(): Promise<string> {
  const file = join(await createFolder(), 'bad.yaml');
  const routes = Array.from(
    { length: ROUTES },
    (_, i) => `  - { name: r${i}, match: { path: /${i} }, to: nowhere-${i} }`,
  );
  await writeFile(file, `meshgate: 1\nroutes:\n${routes.join('\n')}\n`);
  return file;
}

describe('output that is longer than a pipe holds', () => {
  it('arrives whole on standard output', async () => {
    const program = new Program(['check', await writeBadFile(), '--json']);
    expect(await program.ended).toEqual({ code: 1, signal: null });
    const { issues } = JSON.parse(program.stdout) as { issues: unknown[] };
    expect(issues).toHaveLength(ROUTES);
  });

  it('arrives whole on standard error', async () => {
    const program = new Program(['check', await writeBadFile()]);
    expect(await program.ended).toEqual({ code: 1, signal: null });
    expect(program.stderr.trimEnd().split('\n')).toHaveLength(ROUTES);
  });

  it('waits for a reader who takes his time', async () => {
    const program = new Program(['check', await writeBadFile(), '--json']);
    const { stdout } = program.child;
    stdout!.pause();
    await once(stdout!, 'readable');
    expect(program.running).toBe(true);
    stdout!.resume();
    await program.ended;
    expect(() => JSON.parse(program.stdout) as unknown).not.toThrow();
  });

  it('keeps nobody waiting whose reader has gone', async () => {
    const line = `"${process.execPath}" "${MAIN}" check "${await writeBadFile()}" --json | head -c 10; exit \${PIPESTATUS[0]}`;
    const shell = spawn('bash', ['-c', line], { stdio: 'ignore' });
    expect(await once(shell, 'close')).toEqual([1, null]);
  });
});
