import { describe, expect, it } from 'vitest';
import type { Measurement } from '../../load-tests/compare.ts';
import { toPluginResult, type PluginCase } from '../../load-tests/scenarios/plugins.ts';

const CASES: readonly PluginCase[] = [
  { label: 'no plugin', plugins: [], probes: [] },
  { label: 'jwt', plugins: [{ jwt: {} }], probes: [], against: 'no plugin' },
  { label: 'acl', plugins: [{ jwt: {} }, { acl: {} }], probes: [], against: 'jwt' },
];

function rounds(...cpuUs: readonly number[]): Measurement[] {
  return cpuUs.map((cost) => ({
    requestsPerSecond: 10_000,
    p50Us: 4000,
    p99Us: 8000,
    maxUs: 9000,
    userUs: cost / 2,
    systemUs: cost / 2,
    cpuUs: cost,
    busy: 1,
    requests: 80_000,
    errors: 0,
  }));
}

describe('what a plugin costs', () => {
  const measured = { table: [], notes: [], failures: [] };

  it('is the median of the differences between it and its own measure, round by round', () => {
    const data = [
      // The machine is twice as slow in the third round, and for all.
      { label: 'no plugin', rounds: rounds(40, 50, 80) },
      { label: 'jwt', rounds: rounds(42, 55, 88) },
      { label: 'acl', rounds: rounds(41, 56, 88) },
    ];
    const { table } = toPluginResult(CASES, { ...measured, data });
    expect(table).toEqual([
      [
        'plugin',
        'requests/s',
        'p50 ms',
        'p99 ms',
        'CPU µs/request',
        'added µs',
        'of the rounds',
        'CPU ÷ without',
      ],
      ['no plugin', '10000', '4.00', '8.00', '50.0', '', '', ''],
      ['jwt', '10000', '4.00', '8.00', '55.0', '+5.0', '+2.0 to +8.0', '1.10'],
      ['acl', '10000', '4.00', '8.00', '56.0', '+0.0', '−1.0 to +1.0', '1.00'],
    ]);
  });

  it('has no table where Meshgate was left out', () => {
    expect(toPluginResult(CASES, { ...measured, data: [] }).table).toEqual([]);
  });
});
