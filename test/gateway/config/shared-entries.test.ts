import { describe, expect, it } from 'vitest';
import {
  findEntry,
  listEntries,
  locateEntry,
  withEntry,
  withoutEntry,
  withValues,
} from '../../../src/gateway/config/shared-entries.ts';
import { documentOf } from './shared-document-fixture.ts';

const DOCUMENT = documentOf({
  services: { b: { protocol: 'h2' }, a: {} },
  routes: [{ name: 'r' }, { name: 's', to: 'a' }],
  consumers: [{ name: 'c' }],
  plugins: [{ headers: { x: 1 } }, { cors: {} }, { headers: { x: 2 } }],
});

describe('entries of a shared document', () => {
  it('are found by name, with their place', () => {
    expect(listEntries(DOCUMENT, 'services').map(({ name }) => name)).toEqual(['b', 'a']);
    expect(listEntries(DOCUMENT, 'plugins')).toEqual([
      { name: 'headers', value: { x: 1 }, path: ['plugins', 0, 'headers'] },
      { name: 'cors', value: {}, path: ['plugins', 1, 'cors'] },
      { name: 'headers:2', value: { x: 2 }, path: ['plugins', 2, 'headers'] },
    ]);
    expect(findEntry(DOCUMENT, 'routes', 's')?.path).toEqual(['routes', 1]);
    expect(findEntry(DOCUMENT, 'services', 'constructor')).toBeUndefined();
  });

  it('are put in their place, or at the end', () => {
    expect(withEntry(DOCUMENT, 'routes', 'r', { name: 'r', to: 'b' }).routes).toEqual([
      { name: 'r', to: 'b' },
      { name: 's', to: 'a' },
    ]);
    expect(withEntry(DOCUMENT, 'consumers', 'd', { name: 'd' }).consumers.length).toBe(2);
    expect(withEntry(DOCUMENT, 'plugins', 'headers:2', { x: 3 }).plugins).toEqual([
      { headers: { x: 1 } },
      { cors: {} },
      { headers: { x: 3 } },
    ]);
    expect(withEntry(DOCUMENT, 'plugins', 'headers:3', {}).plugins.at(-1)).toEqual({ headers: {} });
    const odd = withEntry(DOCUMENT, 'services', '__proto__', { protocol: 'h2' });
    expect(findEntry(odd, 'services', '__proto__')?.value).toEqual({ protocol: 'h2' });
  });

  it('are taken out', () => {
    expect(Object.keys(withoutEntry(DOCUMENT, 'services', 'b').services)).toEqual(['a']);
    expect(withoutEntry(DOCUMENT, 'plugins', 'headers:2').plugins).toEqual([
      { headers: { x: 1 } },
      { cors: {} },
    ]);
    expect(withoutEntry(DOCUMENT, 'routes', 'nobody')).toBe(DOCUMENT);
  });

  it('are replaced all at once, names and order kept', () => {
    for (const kind of ['services', 'routes', 'consumers', 'plugins'] as const) {
      const values = listEntries(DOCUMENT, kind).map(({ value }) => value);
      expect(withValues(DOCUMENT, kind, values)).toEqual(DOCUMENT);
    }
  });

  it('are found by a place within them', () => {
    expect(locateEntry(DOCUMENT, ['routes', 1, 'to'])).toMatchObject({
      kind: 'routes',
      entry: { name: 's' },
      rest: ['to'],
    });
    expect(locateEntry(DOCUMENT, ['plugins', 2, 'headers', 'x', 0])).toMatchObject({
      entry: { name: 'headers:2' },
      rest: ['x', 0],
    });
    expect(locateEntry(DOCUMENT, ['plugins', 2])).toMatchObject({
      entry: { name: 'headers:2' },
      rest: [],
    });
    expect(locateEntry(DOCUMENT, ['services', 'b'])).toMatchObject({
      entry: { name: 'b' },
      rest: [],
    });
    expect(locateEntry(DOCUMENT, ['listeners', 0])).toBeUndefined();
    expect(locateEntry(DOCUMENT, ['routes', 7])).toBeUndefined();
  });
});
