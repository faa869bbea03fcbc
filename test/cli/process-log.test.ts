import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProcessLog } from '../../src/cli/process-log.ts';
import { createFolder } from '../gateway/config/config-file.ts';

async function openLog() {
  const file = join(await createFolder(), 'log');
  const log = createProcessLog({ to: file });
  const lines = async (): Promise<Record<string, unknown>[]> =>
    (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines };
}

describe('the log of the program', () => {
  it('tells levels by their names', async () => {
    const { log, lines } = await openLog();
    log.info({ a: 1 }, 'well');
    log.error({}, 'not well');
    expect(await lines()).toEqual([
      { level: 'info', time: expect.any(String), a: 1, msg: 'well' },
      { level: 'error', time: expect.any(String), msg: 'not well' },
    ]);
  });

  it('cuts a line that is too long for anybody, with a mark, and loses none', async () => {
    const { log, lines } = await openLog();
    log.error({ errors: Array.from({ length: 100_000 }, (_, i) => `wrong "${i}"`) }, 'refused');
    log.info({}, 'and on');
    const [cut, next] = await lines();
    expect(cut).toMatchObject({ level: 'error', msg: 'refused', truncated: true });
    expect(cut!['characters']).toBeGreaterThan(1024 * 1024);
    expect(cut!['line']).toContain('wrong \\"0\\"');
    expect(JSON.stringify(cut).length).toBeLessThan(64 * 1024);
    expect(next).toMatchObject({ msg: 'and on' });
  });
});
