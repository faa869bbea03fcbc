import { expect, it } from 'vitest';
import { TrafficMeter } from '../../../src/mesh/health/traffic-meter.ts';
import { parseTrafficReport, toTrafficValue } from '../../../src/mesh/health/traffic-report.ts';
import { endpoint } from '../balancing/endpoints.ts';

it('tells what came since the last reading, and seven tenths of what was before', () => {
  const [a, idle] = [endpoint('a'), endpoint('idle')];
  const meter = new TrafficMeter();
  Object.assign(a.seen, { tries: 100, failedTries: 10, timedAnswers: 90, answerMs: 900 });
  expect(meter.read([a, idle])).toEqual([{ id: 'a', requests: 100, failures: 10, latencyMs: 10 }]);
  Object.assign(a.seen, { tries: 200, failedTries: 10, timedAnswers: 190, answerMs: 6_170 });
  expect(meter.read([a, idle])).toEqual(
    [{ id: 'a', requests: 170, failures: 7, latencyMs: 36.2 }].map((row) => ({
      ...row,
      latencyMs: expect.closeTo(5900 / 163, 6),
    })),
  );
  expect(a.seen.usualAnswerMs).toBeCloseTo(5900 / 163, 6);
});

it('forgets an endpoint that has had nothing for a while, and one that left', () => {
  const a = endpoint('a');
  const meter = new TrafficMeter();
  a.seen.tries = 10;
  let readings = 0;
  while (meter.read([a]).length > 0) readings += 1;
  expect(readings).toBe(9);
  meter.read([]);
  expect(meter.read([a])).toHaveLength(1);
});

it('reports a tenth of a request at the finest, and reads back what it wrote', () => {
  const value = toTrafficValue({
    node: 'n',
    endpoints: [{ id: 'a', requests: 12.34, failures: 1.26, latencyMs: 7.77 }],
  });
  expect(value).toEqual({ node: 'n', seen: [['a', 12.3, 1.3, 7.8]] });
  expect(parseTrafficReport(value)).toEqual({
    node: 'n',
    endpoints: [{ id: 'a', requests: 12.3, failures: 1.3, latencyMs: 7.8 }],
  });
});

it.each([null, 7, [], {}, { node: 7, seen: [] }, { node: 'n', seen: {} }])(
  'takes %j for no report',
  (value) => {
    expect(parseTrafficReport(value)).toBeUndefined();
  },
);

it.each([[[7, 1, 1, 1]], [['a', -1, 0, 0]], [['a', '1', 0, 0]], [['a', 1, 0]], [[]], ['row']])(
  'passes over the row %j',
  (row) => {
    expect(parseTrafficReport({ node: 'n', seen: [row] })).toEqual({ node: 'n', endpoints: [] });
  },
);

it('believes in no more failures than requests', () => {
  const report = parseTrafficReport({ node: 'n', seen: [['a', 10, 1000, 0]] });
  expect(report!.endpoints[0]!.failures).toBe(10);
});
