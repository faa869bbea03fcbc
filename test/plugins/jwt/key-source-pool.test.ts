/** Who shares a key source with whom. */
import { describe, expect, it } from 'vitest';
import { createFixedKeySource } from '../../../src/plugins/jwt/key-source.ts';
import { leaseKeySource } from '../../../src/plugins/jwt/key-source-pool.ts';

const create = () => createFixedKeySource({ keys: [], refused: [] });

describe('a leased key source', () => {
  it('is the same for the same name and capability', () => {
    const capability = () => {};
    const a = leaseKeySource(capability, 'x', create);
    expect(leaseKeySource(capability, 'x', create).source).toBe(a.source);
    expect(leaseKeySource(capability, 'y', create).source).not.toBe(a.source);
    expect(leaseKeySource(() => {}, 'x', create).source).not.toBe(a.source);
  });

  it('is forgotten when the last holder lets go, and not before', () => {
    const capability = () => {};
    const a = leaseKeySource(capability, 'x', create);
    const b = leaseKeySource(capability, 'x', create);
    a.release();
    const c = leaseKeySource(capability, 'x', create);
    expect(c.source).toBe(b.source);
    b.release();
    c.release();
    expect(leaseKeySource(capability, 'x', create).source).not.toBe(a.source);
  });
});
