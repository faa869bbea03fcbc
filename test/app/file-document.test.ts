import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createFileDocument } from '../../src/app/file-document.ts';
import { EMPTY_DOCUMENT } from '../../src/gateway/config/versions/shared-document.ts';
import { createFolder } from '../gateway/config/config-file.ts';

function createLog() {
  return { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
}

const withRoute = (name: string): string =>
  `meshgate: 1\nroutes: [{ name: ${name}, respond: { status: 204 } }]\n`;

describe('what the configuration file has, for the admin API', () => {
  it('is of the file as it was applied last, and nothing where the backplane has it', async () => {
    const folder = await createFolder({ 'meshgate.yaml': withRoute('a') });
    const file = join(folder, 'meshgate.yaml');
    const document = createFileDocument(file, undefined, createLog());
    expect(await document.current()).toBeUndefined();
    document.update(true);
    const a = { ...EMPTY_DOCUMENT, routes: [{ name: 'a', respond: { status: 204 } }] };
    expect(await document.current()).toEqual(a);
    await writeFile(file, withRoute('b'));
    expect(await document.current()).toEqual(a);
    document.update(true);
    const [first, second] = await Promise.all([document.current(), document.current()]);
    expect(first?.routes[0]?.['name']).toBe('b');
    expect(second).toBe(first);
    document.update(false);
    expect(await document.current()).toBeUndefined();
  });

  it('is looked into only when somebody asks, and once', async () => {
    const folder = await createFolder({ 'meshgate.yaml': withRoute('a') });
    const log = createLog();
    const text = 'routes: [';
    const document = createFileDocument(join(folder, 'meshgate.yaml'), text, log);
    document.update(true);
    document.update(true);
    await new Promise(setImmediate);
    expect(log.warn).not.toHaveBeenCalled();
    expect(await document.current()).toEqual(EMPTY_DOCUMENT);
    expect(await document.current()).toEqual(EMPTY_DOCUMENT);
    expect(log.warn).toHaveBeenCalledOnce();
  });

  it('is what it had before where it cannot be read any more', async () => {
    const folder = await createFolder({ 'meshgate.yaml': withRoute('a') });
    const file = join(folder, 'meshgate.yaml');
    const log = createLog();
    const document = createFileDocument(file, undefined, log);
    document.update(true);
    const before = await document.current();
    await writeFile(file, 'routes: 7');
    document.update(true);
    expect(await document.current()).toBe(before);
    expect(log.warn).toHaveBeenCalledOnce();
  });
});
