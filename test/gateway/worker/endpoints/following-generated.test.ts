import {
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  nat,
  oneof,
  record,
  uniqueArray,
  type Arbitrary,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setFactor, setHealth, type EndpointSpec } from '../../../../src/mesh/endpoint.ts';
import { factsOf, KEY, spec, TestNode } from './node-fixture.ts';

describe('any sequence of changes', () => {
  const change = oneof(
    record({
      kind: constant('announce' as const),
      specs: uniqueArray(
        record({
          id: constantFrom('a', 'b', 'c', 'd', 'e'),
          weight: nat(3),
          draining: boolean(),
          incarnation: constantFrom('1', '1', '1', '2'),
        }),
        { selector: ({ id }) => id, maxLength: 5 },
      ),
    }),
    record({
      kind: constant('health' as const),
      at: nat(4),
      healthy: boolean(),
      ejected: boolean(),
    }),
    record({
      kind: constant('factor' as const),
      at: nat(4),
      factor: constantFrom(0.1, 0.5, 1),
    }),
    constantFrom(
      { kind: 'fork' as const },
      { kind: 'die' as const },
      { kind: 'settle' as const },
      { kind: 'wait' as const },
    ),
  );

  type Change = typeof change extends Arbitrary<infer T> ? T : never;

  async function play(one: TestNode, step: Change) {
    const { endpoints } = one.service;
    switch (step.kind) {
      case 'announce':
        one.source.announce(step.specs.map((some): EndpointSpec => spec(some.id, some)));
        break;
      case 'health': {
        const endpoint = endpoints[step.at];
        if (endpoint !== undefined) setHealth(endpoint, step, one.nowMs);
        one.service.refresh();
        break;
      }
      case 'factor': {
        const endpoint = endpoints[step.at];
        if (endpoint !== undefined) setFactor(endpoint, step.factor);
        one.service.refresh();
        break;
      }
      case 'fork':
        if (one.workers.length < 3) one.fork();
        break;
      case 'die':
        one.workers.shift()?.die();
        break;
      case 'settle':
        await one.settle();
        break;
      default:
        one.nowMs += 1000;
        await one.settle();
    }
  }

  it('leaves every worker with what the supervisor has, those that are gone but well among it', async () => {
    const checks = {
      probe: () => ({ cancel: () => undefined }),
      rules: { intervalMs: 1e9, timeoutMs: 1000, healthyThreshold: 1, unhealthyThreshold: 1 },
    };
    await assert(
      asyncProperty(array(change, { maxLength: 30 }), async (steps) => {
        const one = new TestNode({ health: { checks } });
        one.authority.add(KEY, one.service);
        one.source.announce([spec('a'), spec('b')]);
        one.fork();
        for (const step of steps) await play(one, step);
        await one.settle();
        // The last one to begin may have done so while nothing changed any more.
        one.fork();
        await one.settle();
        const facts = factsOf(one.service);
        for (const { service } of one.workers) expect(factsOf(service)).toEqual(facts);
        await one.close();
      }),
      { numRuns: 150 },
    );
  });
});
