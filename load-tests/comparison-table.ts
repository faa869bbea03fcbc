/** Measurements of several proxies as rows of text. */
import type { Measurement, Series } from './compare.ts';
import { median, medianRatio } from './statistics.ts';

/** Medians over the rounds, and a column of CPU time in terms of each baseline that was measured. */
export function toComparisonTable(
  series: readonly Series[],
  baselines: readonly string[],
): string[][] {
  const held = baselines.flatMap((name) => series.find(({ label }) => label === name) ?? []);
  const titles = [
    '',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'CPU µs/request',
    'user + system',
    'core busy',
    ...held.map(({ label }) => `CPU ÷ ${label}`),
  ];
  const rows = series.map(({ label, rounds }) => {
    const middle = (value: (round: Measurement) => number) => median(rounds.map(value));
    return [
      label,
      middle((round) => round.requestsPerSecond).toFixed(0),
      (middle((round) => round.p50Us) / 1000).toFixed(2),
      (middle((round) => round.p99Us) / 1000).toFixed(2),
      middle((round) => round.cpuUs).toFixed(1),
      `${middle((round) => round.userUs).toFixed(1)} + ${middle((round) => round.systemUs).toFixed(1)}`,
      `${(middle((round) => round.busy) * 100).toFixed(0)}%`,
      ...held.map((baseline) => medianRatio(cpu(rounds), cpu(baseline.rounds)).toFixed(2)),
    ];
  });
  return [titles, ...rows];
}

function cpu(rounds: readonly Measurement[]): number[] {
  return rounds.map(({ cpuUs }) => cpuUs);
}
