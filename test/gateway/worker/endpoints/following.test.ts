import { afterEach, describe, expect, it } from 'vitest';
import { setFactor, setHealth } from '../../../../src/mesh/endpoint.ts';
import {
  factsOf,
  KEY,
  ORDERS,
  SilentSource,
  spec,
  TestNode,
  type TestNodeOptions,
} from './node-fixture.ts';

const nodes: TestNode[] = [];

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close();
});

/** With a service that all workers may follow. */
function node(options?: TestNodeOptions): TestNode {
  const made = new TestNode(options);
  made.authority.add(KEY, made.service);
  nodes.push(made);
  return made;
}

describe('a worker that follows a service', () => {
  it('has its endpoints as the supervisor has them', async () => {
    const one = node();
    one.source.announce([spec('a'), spec('b', { weight: 3, metadata: { zone: 'x' }, zone: 'x' })]);
    setHealth(one.find('a'), { healthy: false, ejected: true }, one.nowMs);
    setFactor(one.find('b'), 0.5);
    one.service.refresh();
    const worker = one.fork();
    await one.settle();
    expect(factsOf(worker.service)).toEqual(factsOf(one.service));
    expect(worker.find('b').weight).toBe(1.5);
    expect(worker.find('a')).toMatchObject({ healthy: false, ejected: true });
  });

  it('never has an ejected endpoint for a sound one, from the first moment', async () => {
    const one = node();
    one.source.announce([spec('a'), spec('b')]);
    setHealth(one.find('a'), { ejected: true }, one.nowMs);
    const worker = one.fork();
    const subset = worker.service.subset({});
    await worker.service.ready;
    const hint = { exclude: [], hash: undefined, pinned: undefined };
    expect([subset.pick(hint)?.id, subset.pick(hint)?.id]).toEqual(['b', 'b']);
  });

  it('hears of many changes in one turn at once', async () => {
    const one = node();
    one.source.announce([spec('a'), spec('b')]);
    const worker = one.fork();
    await one.settle();
    const before = worker.link.sent.supervisor;
    one.source.announce([spec('a'), spec('b'), spec('c')]);
    one.source.announce([spec('c'), spec('b', { weight: 2 })]);
    setHealth(one.find('b'), { healthy: false }, one.nowMs);
    one.service.refresh();
    await one.settle();
    // The states follow from a turn after the list.
    expect(worker.link.sent.supervisor - before).toBeLessThanOrEqual(2);
    expect(factsOf(worker.service)).toEqual(factsOf(one.service));
  });

  it('is told nothing where nothing changed', async () => {
    const one = node();
    one.source.announce([spec('a')]);
    const worker = one.fork();
    await one.settle();
    const before = worker.link.sent.supervisor;
    one.service.refresh();
    await one.settle();
    expect(worker.link.sent.supervisor).toBe(before);
  });

  it('keeps an endpoint, and what it measured of it, through changes of its spec', async () => {
    const one = node();
    one.source.announce([spec('a')]);
    const worker = one.fork();
    await one.settle();
    const endpoint = worker.find('a');
    one.source.announce([spec('b'), spec('a', { weight: 7 })]);
    await one.settle();
    expect(worker.find('a')).toBe(endpoint);
    expect(endpoint.weight).toBe(7);
  });

  it('has another endpoint where the instance was started anew', async () => {
    const one = node();
    one.source.announce([spec('a', { incarnation: '1' })]);
    const worker = one.fork();
    await one.settle();
    const endpoint = worker.find('a');
    one.source.announce([spec('a', { incarnation: '2' })]);
    await one.settle();
    expect(worker.find('a')).not.toBe(endpoint);
  });

  it('takes no part in slow start that an endpoint has behind it', async () => {
    const one = node();
    one.source.announce([spec('a')]);
    one.nowMs += 60_000;
    one.source.announce([spec('a'), spec('b')]);
    one.nowMs += 3_000;
    const worker = one.fork();
    await one.settle();
    expect(worker.find('a').effectiveWeight).toBe(1);
    expect(worker.find('b').effectiveWeight).toBeCloseTo(0.1, 6);
  });

  it('hears how long answers usually take where weights go by it', async () => {
    const one = node({ adaptiveWeights: true });
    one.source.announce([spec('a')]);
    const worker = one.fork();
    await one.settle();
    worker.sees('a', 200);
    one.find('a').seen.usualAnswerMs = 42;
    worker.followed.flush();
    await one.settle();
    expect(worker.find('a').seen.usualAnswerMs).toBe(42);
  });
});

describe('a service that is not there yet', () => {
  it('is not ready before discovery has spoken, and then it is', async () => {
    const one = node();
    const worker = one.fork();
    await worker.followed.answered();
    expect(worker.service.isDiscovered).toBe(false);
    expect(worker.service.firstAnswer).toBeInstanceOf(Promise);
    one.source.announce([]);
    await worker.service.firstAnswer;
    expect(worker.service.isDiscovered).toBe(true);
    expect(worker.service.firstAnswer).toBeUndefined();
  });

  it('is followed from when the supervisor has it', async () => {
    const one = new TestNode();
    nodes.push(one);
    one.source.announce([spec('a')]);
    const worker = one.fork();
    let isAnswered = false;
    const answered = worker.followed.answered().then(() => (isAnswered = true));
    await one.settle();
    expect(isAnswered).toBe(false);
    one.authority.add(KEY, one.service);
    await answered;
    expect(worker.service.endpoints.map(({ id }) => id)).toEqual(['a']);
  });

  it('is made for the workers that follow it, and let go with the last of them', async () => {
    const held: string[] = [];
    const made = new TestNode({
      holdUndeclared: (name) => {
        held.push(name);
        if (held.length === 1) made.authority.add(KEY, made.service);
        return () => {
          held.pop();
          if (held.length === 0) made.authority.remove(KEY, made.service);
        };
      },
    });
    nodes.push(made);
    made.source.announce([spec('a')]);
    const [first, second] = [made.fork(), made.fork()];
    await made.settle();
    expect(held).toEqual([]);
    const services = [first, second].map(({ followed }) =>
      made.create(undefined, followed.follow(ORDERS, true)),
    );
    for (const service of services) service.start();
    await made.settle();
    expect(held).toEqual(['orders', 'orders']);
    expect(services.map(({ endpoints }) => endpoints.map(({ id }) => id))).toEqual([['a'], ['a']]);
    await services[0]!.stop();
    second.die();
    await made.settle();
    expect(held).toEqual([]);
  });
});

describe('a service that the supervisor made anew', () => {
  it('goes on in a worker that still has it, with the connections it has', async () => {
    const one = node();
    one.source.announce([spec('a'), spec('b')]);
    const worker = one.fork();
    await one.settle();
    const endpoint = worker.find('a');
    endpoint.active = 2;
    worker.sees('a', 200);
    worker.followed.flush();
    await one.settle();
    expect(one.find('a').active).toBe(2);

    one.authority.remove(KEY, one.service);
    const source = new SilentSource();
    const next = one.create(source, undefined);
    next.start();
    source.announce([spec('a')]);
    one.authority.add(KEY, next);
    await one.settle();
    expect(worker.service.endpoints).toEqual([endpoint]);
    worker.sees('a', 500);
    await one.settle();
    const [own] = next.endpoints;
    expect(own).toMatchObject({ active: 2, seen: { tries: 1, failedTries: 1 } });
    expect(one.find('a')?.active).toBe(0);
    endpoint.active = 0;
  });
});
