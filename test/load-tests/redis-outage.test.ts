import { describe, expect, it } from 'vitest';
import { toOutageResult, type OutageWindow } from '../../load-tests/mesh/redis-outage.ts';

const PHASES = ['steady', 'frozen', 'killed', 'back'] as const;

/** Two rounds of both modes; `change` is made to the frozen windows of `exact`. */
function windows(change: Partial<OutageWindow> = {}): OutageWindow[] {
  return [1, 3].flatMap((ms) =>
    (['leased', 'exact'] as const).flatMap((mode) =>
      PHASES.map((phase) => ({
        mode,
        phase,
        seconds: 10,
        requests: 10_000,
        fallbacks: 0,
        failed: 0,
        closed: 0,
        p50Us: ms * 1000,
        p99Us: ms * 2000,
        maxUs: ms * 4000,
        ...(mode === 'exact' && phase === 'frozen' && change),
      })),
    ),
  );
}

describe('latency during an outage of Redis', () => {
  it('is told for each way to count and each phase', () => {
    const { table, failures } = toOutageResult(windows({ fallbacks: 9_990 }));
    expect(table.map(([label]) => label)).toEqual([
      'limit, Redis',
      ...['leased', 'exact'].flatMap((mode) => PHASES.map((phase) => `${mode}, ${phase}`)),
    ]);
    expect(table[1]).toEqual(['leased, steady', '2.0', '4.0', '8.0', '0', '0.0%']);
    expect(table[6]).toEqual(['exact, frozen', '2.0', '4.0', '8.0', '0', '99.9%']);
    expect(failures).toEqual([]);
  });

  it('is not valid where a request fails for it', () => {
    expect(toOutageResult(windows({ failed: 2 })).failures).toEqual([
      'exact, frozen: 4 requests failed',
    ]);
  });
});
