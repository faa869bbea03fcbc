import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/mesh/backplane/backplane.ts';
import {
  parseInstance,
  spaceOfService,
  toInstanceValue,
} from '../../../src/mesh/registry/instance.ts';

function parse(value: Json) {
  return parseInstance('orders', { id: 'a', generation: 7, owner: 'me', value });
}

describe('an instance in the store', () => {
  it('is read as it was written', () => {
    const spec = {
      id: 'a',
      host: '10.0.0.1',
      port: 3001,
      weight: 2.5,
      metadata: { version: 'v2' },
      zone: 'eu-1a',
      priority: 1,
      node: 'edge-1',
    };
    const written = JSON.parse(JSON.stringify(toInstanceValue(spec, true))) as Json;
    expect(parse(written)).toEqual({
      service: 'orders',
      ...spec,
      draining: true,
      generation: 7,
      owner: 'me',
    });
  });

  it('has weight 1, no metadata and the metadata’s zone by default', () => {
    expect(parse(toInstanceValue({ id: 'a', host: 'h', port: 1 }, false))).toEqual({
      service: 'orders',
      id: 'a',
      host: 'h',
      port: 1,
      weight: 1,
      metadata: {},
      zone: undefined,
      priority: 0,
      node: undefined,
      draining: false,
      generation: 7,
      owner: 'me',
    });
    const zoned = toInstanceValue({ id: 'a', host: 'h', port: 1, metadata: { zone: 'z' } }, false);
    expect(parse(zoned)?.zone).toBe('z');
  });

  it.each<[Json]>([
    [null],
    ['text'],
    [[]],
    [{ port: 1 }],
    [{ host: '', port: 1 }],
    [{ host: 'h', port: 0 }],
    [{ host: 'h', port: 65_536 }],
    [{ host: 'h', port: '80' }],
  ])('is none when it is %j', (value) => {
    expect(parse(value)).toBeUndefined();
  });

  it('loses what makes no sense of it, and not the rest', () => {
    const odd = {
      host: 'h',
      port: 1,
      weight: -1,
      metadata: { a: 1, b: 'x' },
      priority: 'high',
      zone: 2,
    };
    expect(parse(odd)).toMatchObject({
      weight: 1,
      metadata: { b: 'x' },
      priority: 0,
      zone: undefined,
    });
    const hostile = JSON.parse(
      '{"host":"h","port":1,"metadata":{"__proto__":"x","b":"y"}}',
    ) as Json;
    expect(parse(hostile)?.metadata['b']).toBe('y');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('is of a service whose name fits a host, a key and a file', () => {
    expect(spaceOfService('orders-v2.eu')).toBe('svc:orders-v2.eu');
    for (const name of ['', 'a/b', 'a b', 'a{b}', 'ü'])
      expect(() => spaceOfService(name)).toThrow(TypeError);
  });
});
