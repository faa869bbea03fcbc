import { describe, expect, it } from 'vitest';
import { toVersionReports } from '../../../src/admin/views/version-reports.ts';
import type { NodeVersion } from '../../../src/gateway/config/versions/rollout.ts';

const AT = '2026-01-01T00:00:00.000Z';
const HASH = 'a'.repeat(64);
const applied = (node: string, version: number): NodeVersion => ({
  node,
  version,
  hash: HASH,
  state: 'applied',
  at: AT,
});

describe('the reports of a version', () => {
  it('has nodes that have never said anything, where they take versions over', () => {
    const live = [
      { name: 'c', config: 'shared', started_at: AT } as const,
      { name: 'a', config: 'shared', started_at: AT } as const,
      { name: 'b', config: 'shared', started_at: AT } as const,
    ];
    expect(toVersionReports([applied('b', 1)], live, 1)).toEqual([
      { node: 'a', state: 'pending', version: 0, at: AT },
      { node: 'b', state: 'applied', version: 1, at: AT },
      { node: 'c', state: 'pending', version: 0, at: AT },
    ]);
  });

  it('does not wait for nodes whose own file has it, that have no key, or that tell nothing', () => {
    const live = [
      { name: 'file', config: 'file' } as const,
      { name: 'keyless', config: 'none' } as const,
      { name: 'other' },
    ];
    expect(toVersionReports([], live, 1)).toEqual([]);
  });

  it('keeps what a node says that is not listed', () => {
    expect(toVersionReports([applied('a', 1)], [], 2)).toEqual([
      { node: 'a', state: 'pending', version: 1, at: AT },
    ]);
  });
});
