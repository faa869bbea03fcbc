import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAdminToken } from '../../src/admin/admin-token.ts';
import { createFolder } from '../gateway/config/config-file.ts';

describe('the admin token', () => {
  it('is made at the first start, for its owner alone, and read at the next', async () => {
    const dataDir = join(await createFolder(), 'state');
    const first = await openAdminToken(dataDir);
    expect(first).toMatchObject({ file: join(dataDir, 'admin-token'), isNew: true });
    expect((await stat(first.file)).mode & 0o777).toBe(0o600);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    // 256 bits in Base64url, and nothing else beside the file.
    const text = await readFile(first.file, 'utf8');
    expect(text).toMatch(/^mg_[A-Za-z0-9_-]{43}\n$/);
    expect(await readdir(dataDir)).toEqual(['admin-token']);

    const second = await openAdminToken(dataDir);
    expect(second.isNew).toBe(false);
    expect(await readFile(first.file, 'utf8')).toBe(text);
    expect([first.matches(text.trim()), second.matches(text.trim())]).toEqual([true, true]);
  });

  it('is one, whoever comes first', async () => {
    const dataDir = await createFolder();
    const tokens = await Promise.all(Array.from({ length: 8 }, () => openAdminToken(dataDir)));
    const text = (await readFile(tokens[0]!.file, 'utf8')).trim();
    expect(tokens.filter(({ isNew }) => isNew).length).toBe(1);
    expect(tokens.every(({ matches }) => matches(text))).toBe(true);
    expect(await readdir(dataDir)).toEqual(['admin-token']);
  });

  it('is another in another directory', async () => {
    const [a, b] = [
      await openAdminToken(await createFolder()),
      await openAdminToken(await createFolder()),
    ];
    expect(b.matches((await readFile(a.file, 'utf8')).trim())).toBe(false);
  });

  it('matches nothing else', async () => {
    const token = await openAdminToken(await createFolder());
    const text = (await readFile(token.file, 'utf8')).trim();
    const others = ['', text.slice(0, -1), `${text}x`, text.toUpperCase(), `mg_${'A'.repeat(43)}`];
    expect(others.filter((other) => token.matches(other))).toEqual([]);
  });

  it('is not held in memory: what is kept of it has no such text', async () => {
    const token = await openAdminToken(await createFolder());
    expect(JSON.stringify(token)).not.toContain('mg_');
  });

  it.each(['', 'secret', `mg_${'A'.repeat(42)}`, `MG_${'A'.repeat(43)}`])(
    'is no weaker text that stands in the file: %j',
    async (text) => {
      const dataDir = await createFolder();
      await writeFile(join(dataDir, 'admin-token'), text);
      await expect(openAdminToken(dataDir)).rejects.toThrow(/remove it, and the next start/);
      await rm(join(dataDir, 'admin-token'));
      expect((await openAdminToken(dataDir)).isNew).toBe(true);
    },
  );

  it('cannot be had where the directory cannot be made', async () => {
    const folder = await createFolder({ 'a-file': '' });
    await expect(openAdminToken(join(folder, 'a-file', 'state'))).rejects.toThrow(/ENOTDIR/);
  });
});
