import { array, assert, asyncProperty, constantFrom, nat, record } from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createEndpoint, type Endpoint } from '../../../../src/mesh/endpoint.ts';
import { OutlierDetector } from '../../../../src/mesh/health/outlier-detector.ts';
import { createNodes, OUTLIERS, spec } from './node-fixture.ts';

const { node, closeAll } = createNodes();

afterEach(closeAll);

describe('whatever workers see', () => {
  const outcome = record({
    worker: nat(2),
    id: constantFrom('a', 'b', 'c'),
    status: constantFrom(200, 200, 404, 500, 503, 'reset' as const),
  });

  /** One process that sees it all. */
  function reference(): { endpoints: Map<string, Endpoint>; outliers: OutlierDetector } {
    const list = ['a', 'b', 'c'].map((id) => createEndpoint(spec(id), 1_000_000));
    const outliers = new OutlierDetector(OUTLIERS, {
      monotonic: () => 1_000_000,
      endpoints: () => list,
      onChanged: () => undefined,
      onEjected: () => undefined,
      onReturned: () => undefined,
    });
    return { endpoints: new Map(list.map((one) => [one.id, one])), outliers };
  }

  function judge(to: OutlierDetector, endpoint: Endpoint, status: number | 'reset'): void {
    if (status === 'reset') to.onFailure(endpoint);
    else to.onAnswer(endpoint, status);
  }

  const COUNTED = [
    'consecutive5xx',
    'consecutiveGatewayFailure',
    'consecutiveLocalOriginFailure',
    'requests',
    'failures',
    'ejections',
  ] as const;

  function countsOf({ seen, ejected }: Endpoint): unknown {
    return [ejected, ...COUNTED.map((name) => seen[name])];
  }

  it('one of them is as good as one process', async () => {
    await assert(
      asyncProperty(array(outcome, { maxLength: 80 }), async (outcomes) => {
        const one = await node(1, { defer: (run) => run() });
        const { endpoints, outliers } = reference();
        for (const { id, status } of outcomes) {
          one.workers[0]!.sees(id, status);
          judge(outliers, endpoints.get(id)!, status);
        }
        one.workers[0]!.followed.flush();
        for (const [id, expected] of endpoints) {
          expect(countsOf(one.find(id))).toEqual(countsOf(expected));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('all of them together are as good as one process, in the order in which they tell', async () => {
    await assert(
      asyncProperty(array(outcome, { maxLength: 60 }), async (outcomes) => {
        const one = await node(3, { defer: (run) => run() });
        const { endpoints, outliers } = reference();
        for (const { worker, id, status } of outcomes) {
          // None of them has anything to add when it is asked, and no time passes by listening.
          one.nowMs += 100;
          one.workers[worker]!.sees(id, status);
          one.workers[worker]!.followed.flush();
          judge(outliers, endpoints.get(id)!, status);
        }
        for (const [id, expected] of endpoints) {
          expect(countsOf(one.find(id))).toEqual(countsOf(expected));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('they put nothing aside that one process would have kept, and nothing goes uncounted', async () => {
    await assert(
      asyncProperty(array(outcome, { maxLength: 120 }), async (outcomes) => {
        const one = await node(3, { defer: (run) => run() });
        const { endpoints, outliers } = reference();
        for (const { worker, id, status } of outcomes) {
          one.nowMs += 10;
          one.workers[worker]!.sees(id, status);
          // As at the end of the turn; other answers wait to be asked for.
          if (typeof status === 'string' || status >= 500) one.workers[worker]!.followed.flush();
          judge(outliers, endpoints.get(id)!, status);
        }
        for (const { followed } of one.workers) followed.flush();
        for (const [id, expected] of endpoints) {
          const { ejected, seen } = one.find(id);
          expect(ejected && !expected.ejected).toBe(false);
          expect([seen.requests, seen.failures]).toEqual([
            expected.seen.requests,
            expected.seen.failures,
          ]);
        }
      }),
      { numRuns: 500 },
    );
  });
});
