import { describe, expect, it } from 'vitest';
import {
  toReloadResult,
  type ReloadSeries,
  type ReloadWindow,
} from '../../load-tests/scenarios/reload.ts';

function window(p99Us: number, change: Partial<ReloadWindow> = {}): ReloadWindow {
  const latencies = { p50Us: 1000, p99Us, maxUs: 2 * p99Us };
  return { seconds: 10, failed: 0, closed: 0, reloads: 0, ...latencies, ...change };
}

function series(peer: ReloadSeries['peer'], reloading: Partial<ReloadWindow>): ReloadSeries {
  return {
    peer,
    steady: [window(2000), window(4000), window(3000)],
    reloading: [5000, 9000, 7000].map((p99Us) => window(p99Us, { reloads: 5, ...reloading })),
  };
}

describe('latency during reloads', () => {
  it('is told by medians over the rounds, and all that failed or was closed', () => {
    const { table } = toReloadResult([series('nginx', { failed: 2, closed: 12 })]);
    expect(table).toEqual([
      ['', 'p50 ms', 'p99 ms', 'max ms', 'reloads', 'failed', 'connections closed'],
      ['nginx, steady', '1.0', '3.0', '6.0', '0', '0', '0'],
      ['nginx, reloading', '1.0', '7.0', '14.0', '15', '6', '36'],
    ]);
  });

  it('is a result also where another proxy fails requests, and not where Meshgate does', () => {
    const failing = { failed: 1 };
    expect(toReloadResult([series('nginx', failing)]).failures).toEqual([]);
    expect(toReloadResult([series('meshgate', failing)]).failures).toEqual([
      'meshgate, reloading: 3 requests failed',
    ]);
  });

  it('is none where requests fail in peace', () => {
    const broken = { ...series('caddy', {}), steady: [window(1000, { failed: 4 })] };
    expect(toReloadResult([broken]).failures).toEqual(['caddy, steady: 4 requests failed']);
  });

  it('names who was not measured', () => {
    expect(toReloadResult([series('meshgate', {})]).notes.slice(1)).toEqual([
      'nginx: not measured, it was left out or is not there.',
      'haproxy: not measured, it was left out or is not there.',
      'caddy: not measured, it was left out or is not there.',
    ]);
  });
});
