import { afterEach, describe, expect, it } from 'vitest';
import { createNodes, OUTLIERS, spec, type TestWorker } from './node-fixture.ts';

const { node, closeAll } = createNodes();

afterEach(closeAll);

/** Longer than the supervisor listens to others before it takes failures for a row. */
const LISTENING_MS = 10;
/** Longer than it waits for a worker that does not answer. */
const WAITING_MS = 50;

describe('failures in a row', () => {
  it('put an endpoint aside at the fifth, whichever workers saw them', async () => {
    const one = await node(3);
    const [first, second, third] = one.workers as [TestWorker, TestWorker, TestWorker];
    for (const worker of [first, second, third, first]) {
      worker.sees('a', 500);
      await one.settle();
    }
    expect(one.find('a').ejected).toBe(false);
    one.nowMs += 10;
    second.sees('a', 500);
    await one.settle();
    expect(one.events).toEqual(['a ejected']);
    expect(one.workers.map(({ find }) => find('a').ejected)).toEqual([true, true, true]);
  });

  it('are told within the turn, and those of one turn as one message', async () => {
    const one = await node(1);
    const [worker] = one.workers as [TestWorker];
    const before = worker.link.sent.worker;
    worker.sees('a', 500, 502, 'reset', 200, 500);
    worker.sees('b', 500);
    await one.settle();
    expect(worker.link.sent.worker - before).toBe(1);
    expect(one.find('a').seen).toMatchObject({
      requests: 5,
      failures: 4,
      consecutive5xx: 1,
      consecutiveGatewayFailure: 0,
      consecutiveLocalOriginFailure: 0,
      tries: 5,
      failedTries: 4,
    });
    expect(one.find('b').seen).toMatchObject({ consecutive5xx: 1, tries: 1 });
  });

  it('are of the kind that the worker saw', async () => {
    const rules = { ...OUTLIERS, consecutive5xx: undefined, consecutiveGatewayFailure: 3 };
    const one = await node(2, { health: { outliers: rules } });
    const [first, second] = one.workers as [TestWorker, TestWorker];
    first.sees('a', 500, 500, 500, 503);
    second.sees('b', 502, 'reset', 504);
    await one.settle();
    await one.pass(LISTENING_MS);
    expect(one.events).toEqual(['b ejected']);
    expect(one.find('a').seen).toMatchObject({ consecutive5xx: 4, consecutiveGatewayFailure: 1 });
  });

  it('are no row where another worker had answers in between', async () => {
    const one = await node(2);
    const [failing, answered] = one.workers as [TestWorker, TestWorker];
    for (let i = 0; i < 20; i++) {
      failing.sees('a', 500);
      answered.sees('a', 200);
      await one.settle();
      await one.pass(10);
    }
    await one.pass(LISTENING_MS);
    expect(one.events).toEqual([]);
    // Those that nobody asked about come with the next telling.
    answered.followed.flush();
    await one.settle();
    expect(one.find('a').seen).toMatchObject({ requests: 40, failures: 20 });
  });

  it('are a row where the answers of other workers were before it', async () => {
    const one = await node(2);
    const [failing, answered] = one.workers as [TestWorker, TestWorker];
    answered.sees('a', 200, 200, 200);
    await one.settle();
    one.nowMs += 1000;
    for (let i = 0; i < 5; i++) {
      failing.sees('a', 'reset');
      await one.settle();
      await one.pass(10);
    }
    expect(one.events).toEqual(['a ejected']);
    expect(one.find('a').seen.requests).toBe(8);
  });

  it('that come all at once are a row only if nobody else is answered meanwhile', async () => {
    const one = await node(2);
    const [failing, answered] = one.workers as [TestWorker, TestWorker];
    failing.sees('a', 500, 500, 500, 500, 500);
    failing.sees('b', 500, 500, 500, 500, 500);
    await one.settle();
    expect(one.events).toEqual([]);
    answered.sees('b', 200);
    await one.pass(LISTENING_MS);
    expect(one.events).toEqual(['a ejected']);
    expect(one.find('b').seen).toMatchObject({ consecutive5xx: 1, ejections: 0 });
  });

  it('are a row where the few answers of others cannot have been in all of it', async () => {
    const one = await node(2);
    const [failing, answered] = one.workers as [TestWorker, TestWorker];
    failing.sees('a', ...Array.from({ length: 10 }, () => 500));
    await one.settle();
    answered.sees('a', 200);
    await one.pass(LISTENING_MS);
    expect(one.events).toEqual(['a ejected']);
  });

  it('are no row for answers that came out when those of another endpoint began', async () => {
    const one = await node(2);
    const [failing, answered] = one.workers as [TestWorker, TestWorker];
    for (const [at, id] of ['b', 'b', 'b', 'b', 'a', 'b', 'b'].entries()) {
      if (at === 3) answered.sees('b', 200);
      failing.sees(id, 500);
      await one.settle();
      await one.pass(30);
    }
    expect(one.events).toEqual([]);
  });

  it('put an endpoint aside although another worker says nothing any more', async () => {
    const one = await node(2);
    const [failing, stuck] = one.workers as [TestWorker, TestWorker];
    stuck.link.cut();
    failing.sees('a', 500, 500, 500, 500, 500);
    await one.settle();
    await one.pass(LISTENING_MS);
    expect(one.events).toEqual([]);
    await one.pass(WAITING_MS);
    expect(one.events).toEqual(['a ejected']);
  });

  it('count of a worker that died right after', async () => {
    const one = await node(2);
    const [failing, other] = one.workers as [TestWorker, TestWorker];
    failing.sees('a', 500, 500, 500, 500, 500);
    await one.settle();
    failing.die();
    await one.pass(LISTENING_MS);
    expect(one.events).toEqual(['a ejected']);
    expect(other.find('a').ejected).toBe(true);
  });

  it('are all told, however many there are in one turn', async () => {
    const one = await node(1, { health: { outliers: { ...OUTLIERS, consecutive5xx: undefined } } });
    const [worker] = one.workers as [TestWorker];
    for (let i = 0; i < 1000; i++) worker.sees(i % 2 === 0 ? 'a' : 'b', 200, 500);
    await one.settle();
    expect(one.find('a').seen).toMatchObject({ requests: 1000, failures: 500, tries: 1000 });
    expect(one.find('b').seen).toMatchObject({ requests: 1000, failures: 500, tries: 1000 });
  });

  it('do not matter where nobody judges, but the totals do', async () => {
    const one = await node(2, { health: { outliers: undefined } });
    const [worker] = one.workers as [TestWorker];
    worker.sees('a', 500, 500, 500, 500, 500, 500);
    worker.followed.flush();
    await one.pass(LISTENING_MS);
    expect(one.find('a').ejected).toBe(false);
    expect(one.find('a').seen).toMatchObject({ tries: 6, failedTries: 6 });
  });
});

describe('requests in flight', () => {
  it('are those of all workers together, and end where nothing else is to be told', async () => {
    const one = await node(2);
    const [first, second] = one.workers as [TestWorker, TestWorker];
    first.service.breaker.tryAcquire();
    first.find('a').active = 2;
    second.find('a').active = 3;
    second.sees('a', 200);
    for (const { followed } of one.workers) followed.flush();
    await one.settle();
    expect(one.find('a').active).toBe(5);
    first.service.breaker.release();
    first.find('a').active = 0;
    for (const { followed } of one.workers) followed.flush();
    await one.settle();
    expect(one.find('a').active).toBe(3);
    second.find('a').active = 0;
  });

  it('of a worker that died are over', async () => {
    const one = await node(2);
    const [first, second] = one.workers as [TestWorker, TestWorker];
    for (const worker of [first, second]) {
      worker.find('a').active = 2;
      worker.sees('a', 200);
      worker.followed.flush();
    }
    await one.settle();
    first.die();
    expect(one.find('a').active).toBe(2);
    second.die();
    expect(one.find('a').active).toBe(0);
  });

  it('of a worker that died while its last word waited are over too', async () => {
    const one = await node(2);
    const [first] = one.workers as [TestWorker];
    first.find('a').active = 2;
    first.sees('a', 500, 500, 500, 500, 500);
    await one.settle();
    first.die();
    await one.pass(LISTENING_MS);
    expect(one.events).toEqual(['a ejected']);
    expect(one.find('a').active).toBe(0);
  });

  it('are told once more after the endpoint came back', async () => {
    const one = await node(1);
    const [worker] = one.workers as [TestWorker];
    worker.find('a').active = 1;
    worker.sees('a', 200);
    worker.followed.flush();
    await one.settle();
    one.source.announce([spec('b')]);
    await one.settle();
    one.source.announce([spec('a'), spec('b')]);
    await one.settle();
    expect(one.find('a').active).toBe(0);
    worker.find('a').active = 1;
    worker.sees('a', 200);
    worker.followed.flush();
    await one.settle();
    expect(one.find('a').active).toBe(1);
  });
});
