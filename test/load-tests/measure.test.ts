import { describe, expect, it } from 'vitest';
import { toComparisonTable } from '../../load-tests/comparison-table.ts';
import type { Measurement } from '../../load-tests/compare.ts';
import {
  parseProcessStat,
  parseResidentBytes,
  selectTree,
  sumCpuTime,
} from '../../load-tests/measure.ts';
import { median, medianRatio, percentile, slope } from '../../load-tests/statistics.ts';
import { countErrors, parseLoad } from '../../load-tests/wrk.ts';

const STAT =
  '4242 (nginx: (a) b) S 17 4242 4242 0 -1 4194624 101 0 0 0 250 130 7 9 20 0 1 0 1234 1000 200 18446744073709551615 1';

describe('the line of a process in /proc', () => {
  it('is read, whatever the name of the process holds', () => {
    expect(parseProcessStat(STAT)).toEqual({ pid: 4242, parent: 17, userMs: 2500, systemMs: 1300 });
  });

  it('gives the resident memory in bytes', () => {
    const status = 'Name:\tnode\nVmPeak:\t  999 kB\nVmRSS:\t   12345 kB\nThreads:\t7\n';
    expect(parseResidentBytes(status)).toBe(12_345 * 1024);
    expect(parseResidentBytes('Name:\tzombie\n')).toBe(0);
  });
});

describe('the CPU time of a proxy', () => {
  const process = (pid: number, parent: number, userMs: number, systemMs: number) => ({
    pid,
    parent,
    userMs,
    systemMs,
  });

  it('is that of all its descendants, and of nobody else', () => {
    const all = [
      process(30, 20, 4, 40),
      process(10, 1, 1, 10),
      process(20, 10, 2, 20),
      process(11, 1, 100, 1000),
    ];
    const tree = selectTree(all, [10]);
    expect(new Set(tree.map(({ pid }) => pid))).toEqual(new Set([10, 20, 30]));
    expect(sumCpuTime(tree)).toEqual({ userMs: 7, systemMs: 70 });
  });
});

describe('what wrk prints', () => {
  const RESULT =
    'bench {"requests":184000,"durationUs":8003000,"p50Us":2310,"p99Us":6120,"maxUs":30110,"errors":{"connect":0,"read":1,"write":0,"status":12,"timeout":3}}';

  it('is read from the line of the script', () => {
    const result = parseLoad(`Running 8s test\n  1 threads\n${RESULT}\n`);
    expect(result).toMatchObject({ requests: 184_000, durationUs: 8_003_000, p99Us: 6120 });
    expect(countErrors(result)).toBe(16);
  });

  it('is an error where there is no such line', () => {
    expect(() => parseLoad('unable to connect to 127.0.0.1:1\n')).toThrow('unable to connect');
  });
});

describe('medians, ratios and slopes', () => {
  it('takes the middle value, or the mean of the two', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 9, 1, 5])).toBe(7);
    expect(median([])).toBeNaN();
  });

  it('takes the ratio of each round first, so that a slow round does not count', () => {
    // The second round is slow for both; the ratio of the medians would be 24/11.
    expect(medianRatio([20, 60, 24], [10, 30, 11])).toBe(2);
  });

  it('takes percentiles by nearest rank', () => {
    const values = Array.from({ length: 200 }, (_, i) => 200 - i);
    expect(percentile(values, 0.5)).toBe(100);
    expect(percentile(values, 0.99)).toBe(198);
    expect(percentile(values, 1)).toBe(200);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('takes the slope by least squares', () => {
    const points = [0, 1, 2, 3].map((x) => ({ x, y: 7 + 2.5 * x }));
    expect(slope(points)).toBeCloseTo(2.5, 12);
    expect(slope(points.map(({ x }) => ({ x, y: 7 })))).toBe(0);
  });
});

describe('the table of a comparison', () => {
  const round = (cpuUs: number): Measurement => ({
    requestsPerSecond: 1e6 / cpuUs,
    p50Us: 1500,
    p99Us: 4000,
    maxUs: 9000,
    userUs: cpuUs * 0.75,
    systemUs: cpuUs * 0.25,
    cpuUs,
    busy: 0.985,
    requests: 1000,
    errors: 0,
  });
  const meshgate = { label: 'meshgate', rounds: [round(40), round(80), round(44)] };
  const nginx = { label: 'nginx', rounds: [round(16), round(32), round(20)] };

  it('holds CPU time against each baseline, round by round', () => {
    const [titles, ...rows] = toComparisonTable([meshgate, nginx], ['nginx']);
    expect(titles!.at(-1)).toBe('CPU ÷ nginx');
    expect(rows[0]).toEqual([
      'meshgate',
      '22727',
      '1.50',
      '4.00',
      '44.0',
      '33.0 + 11.0',
      '99%',
      '2.50',
    ]);
    expect(rows[1]!.at(-1)).toBe('1.00');
  });

  it('leaves the column of a baseline out that was not measured', () => {
    const [titles] = toComparisonTable([meshgate], ['nginx', 'http-proxy']);
    expect(titles!.at(-1)).toBe('core busy');
  });
});
