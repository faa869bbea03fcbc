import { describe, expect, it } from 'vitest';
import { describeTarget, parseRedisUrl } from '../../../src/mesh/backplane/redis/redis-target.ts';

describe('a Redis URL', () => {
  it.each([
    [
      'redis://cache.internal',
      { topology: { type: 'single', host: 'cache.internal', port: 6379 } },
    ],
    [
      'redis://127.0.0.1:7000/3',
      { topology: { type: 'single', host: '127.0.0.1', port: 7000 }, database: 3 },
    ],
    ['redis://[::1]:7000', { topology: { type: 'single', host: '::1', port: 7000 } }],
    [
      'rediss://mesh:p%40ss@h:1',
      {
        topology: { type: 'single', host: 'h', port: 1 },
        username: 'mesh',
        password: 'p@ss',
        tls: {},
      },
    ],
    [
      'redis://:secret@h',
      { topology: { type: 'single', host: 'h', port: 6379 }, password: 'secret' },
    ],
  ])('%s is read', (url, target) => {
    expect(parseRedisUrl(url)).toEqual(target);
  });

  it.each(['http://h', 'h:6379', 'redis:', 'redis://u:secret@h/path', 'redis://u:secret@h:99999'])(
    '%s is refused, without a word of its secrets',
    (url) => {
      expect(() => parseRedisUrl(url)).toThrow(TypeError);
      expect(() => parseRedisUrl(url)).not.toThrow(/secret/);
    },
  );

  it('is described for logs without credentials', () => {
    expect(describeTarget(parseRedisUrl('rediss://mesh:secret@h:1'))).toBe('h:1');
    const nodes = [
      { host: '::1', port: 1 },
      { host: 'b', port: 2 },
    ];
    expect(describeTarget({ topology: { type: 'cluster', nodes } })).toBe('cluster [::1]:1, b:2');
    const topology = { type: 'sentinel', name: 'm', sentinels: nodes } as const;
    expect(describeTarget({ topology, password: 'x' })).toBe('m of Sentinels [::1]:1, b:2');
  });
});
