import { describe, expect, it } from 'vitest';
import { readyBody } from '../../contracts/test-body-source.ts';
import { readBody, type OriginHandler } from '../../contracts/upstream-origin.ts';
import { createNodeOrigin, createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import { createRefusingTarget, serviceFixtures, startCall, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

function answer({ socket }: RawPeer, status = '200 OK', fields = '', body = ''): void {
  socket.write(`HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`);
}

/** Answers with the body it was sent. */
const echo: OriginHandler = ({ request, response }) => {
  void readBody(request).then(
    (body) => {
      response.writeHead(200);
      response.end(body);
    },
    () => {},
  );
};

describe('a try that finds no connection', () => {
  it('is followed by one on another endpoint', async () => {
    const alive = await open.origin(createNodeOrigin(echo));
    const dead = await createRefusingTarget();
    const { service, retries } = open.service([toSpec(dead), toSpec(alive.target)]);
    const { sink } = startCall(service);
    await sink.ended();
    expect(sink.tries).toEqual([toSpec(dead).id, toSpec(alive.target).id]);
    expect(retries).toEqual(['connect-failure']);
  });

  it('is followed by another even of a POST, whose body was never read', async () => {
    const alive = await open.origin(createNodeOrigin(echo));
    const dead = await createRefusingTarget();
    const { service } = open.service([toSpec(dead), toSpec(alive.target)]);
    const { sink } = startCall(service, {
      method: 'POST',
      body: readyBody('order', { length: 5 }),
    });
    expect((await sink.ended()).text).toBe('order');
    expect(sink.tries).toHaveLength(2);
  });

  it('is followed by another even of an upgrade', async () => {
    const alive = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
        );
      }),
    );
    const dead = await createRefusingTarget();
    const { service } = open.service([toSpec(dead), toSpec(alive.target)]);
    const { sink } = startCall(service, { upgrade: 'echo' });
    await sink.until(({ tunnel }) => tunnel !== undefined);
    expect(sink.tries).toHaveLength(2);
    sink.tunnel!.destroy();
  });

  it('is followed by another on the same endpoint where there is only one', async () => {
    const dead = await createRefusingTarget();
    const { service } = open.service([toSpec(dead)], { retry: { attempts: 2 } });
    const { sink } = startCall(service);
    expect(await sink.failed()).toMatchObject({ failure: 'connect', sent: false });
    expect(sink.tries).toEqual([toSpec(dead).id, toSpec(dead).id, toSpec(dead).id]);
  });

  it('ends the call where the rules do not list it', async () => {
    const alive = await open.origin(createNodeOrigin(echo));
    const dead = await createRefusingTarget();
    const { service } = open.service([toSpec(dead), toSpec(alive.target)], {
      retry: { on: [503] },
    });
    const { sink } = startCall(service);
    expect(await sink.failed()).toMatchObject({ failure: 'connect' });
    expect(sink.tries).toHaveLength(1);
  });
});

describe('a try that is reset before its answer', () => {
  it('is followed by one on another endpoint', async () => {
    const broken = await open.origin(createRawOrigin(({ socket }) => socket.resetAndDestroy()));
    const alive = await open.origin(createNodeOrigin(echo));
    const { service, retries } = open.service([toSpec(broken.target), toSpec(alive.target)]);
    const { sink } = startCall(service);
    await sink.ended();
    expect(sink.tries).toHaveLength(2);
    expect(retries).toEqual(['reset']);
  });

  it('is the last one of a POST that was sent', async () => {
    const broken = await open.origin(createRawOrigin(({ socket }) => socket.resetAndDestroy()));
    const alive = await open.origin(createNodeOrigin(echo));
    const { service, retries } = open.service([toSpec(broken.target), toSpec(alive.target)]);
    const { sink } = startCall(service, { method: 'POST', body: readyBody('order') });
    expect(await sink.failed()).toMatchObject({ failure: 'reset', sent: true });
    expect(sink.tries).toHaveLength(1);
    expect(retries).toEqual([]);
  });

  it('is the last one of an upgrade that was sent', async () => {
    const broken = await open.origin(createRawOrigin(({ socket }) => socket.resetAndDestroy()));
    const { service } = open.service([toSpec(broken.target)]);
    const { sink } = startCall(service, { upgrade: 'websocket' });
    expect(await sink.failed()).toMatchObject({ failure: 'reset', sent: true });
    expect(sink.tries).toHaveLength(1);
  });

  it('is the last one once the attempts are used up', async () => {
    const broken = await open.origin(createRawOrigin(({ socket }) => socket.resetAndDestroy()));
    const { service } = open.service([toSpec(broken.target)], { retry: { attempts: 3 } });
    const { sink } = startCall(service);
    await sink.failed();
    expect(sink.tries).toHaveLength(4);
  });
});

describe('a try that is reset in the middle of its answer', () => {
  it('ends the call: what went downstream cannot be taken back', async () => {
    const broken = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => socket.destroy());
      }),
    );
    const { service } = open.service([toSpec(broken.target)]);
    const { sink } = startCall(service);
    expect(await sink.failed()).toMatchObject({ failure: 'reset', answered: true });
    expect(sink.text).toBe('half');
    expect(sink.calls).toEqual(['head', 'data', 'error']);
    expect(sink.tries).toHaveLength(1);
  });
});

describe('an answer that may be retried', () => {
  it('is given up for that of another endpoint', async () => {
    const busy = await open.origin(
      createRawOrigin((peer) => answer(peer, '503 Service Unavailable', '', 'busy')),
    );
    const alive = await open.origin(createNodeOrigin(echo));
    const { service, retries } = open.service([toSpec(busy.target), toSpec(alive.target)]);
    const { sink } = startCall(service);
    expect((await sink.ended()).status).toBe(200);
    expect(sink.text).toBe('');
    expect(sink.calls).toEqual(['head', 'end']);
    expect(retries).toEqual(['status']);
  });

  it('is passed on after the last attempt', async () => {
    const busy = await open.origin(
      createRawOrigin((peer) => answer(peer, '503 Service Unavailable', '', 'busy')),
    );
    const { service } = open.service([toSpec(busy.target)]);
    const { sink } = startCall(service);
    expect([(await sink.ended()).status, sink.text]).toEqual([503, 'busy']);
    expect(sink.tries).toHaveLength(2);
  });

  it('is passed on to a POST', async () => {
    const busy = await open.origin(
      createRawOrigin((peer) => answer(peer, '503 Service Unavailable')),
    );
    const { service } = open.service([toSpec(busy.target)]);
    const { sink } = startCall(service, { method: 'POST' });
    expect((await sink.ended()).status).toBe(503);
    expect(sink.tries).toHaveLength(1);
  });

  it('is waited out for as many seconds as Retry-After says', async () => {
    const seen: number[] = [];
    const origin = await open.origin(
      createRawOrigin((peer) => {
        seen.push(performance.now());
        if (seen.length > 1) answer(peer);
        else answer(peer, '503 Service Unavailable', 'Retry-After: 1\r\n');
      }),
    );
    const { service } = open.service([toSpec(origin.target)]);
    expect((await startCall(service).sink.ended()).status).toBe(200);
    // Timers may fire up to a millisecond early.
    expect(seen[1]! - seen[0]!).toBeGreaterThan(990);
  });

  it('is passed on where Retry-After asks for more than a second', async () => {
    const busy = await open.origin(
      createRawOrigin((peer) => answer(peer, '503 Service Unavailable', 'Retry-After: 2\r\n')),
    );
    const { service } = open.service([toSpec(busy.target)]);
    const { sink } = startCall(service);
    expect((await sink.ended()).status).toBe(503);
    expect(sink.tries).toHaveLength(1);
  });
});

describe('the retry budget', () => {
  it('ends a call with its first failure once it is exhausted', async () => {
    const dead = await createRefusingTarget();
    // A reserve of 1 retry per 10 s, and deposits too small to buy another.
    const { service, retries } = open.service([toSpec(dead)], {
      budget: { ratio: 0.001, minPerSecond: 0.1 },
    });
    const first = startCall(service).sink;
    await first.failed();
    const second = startCall(service).sink;
    expect(await second.failed()).toMatchObject({ failure: 'connect' });
    expect([first.tries.length, second.tries.length]).toEqual([2, 1]);
    expect(retries).toEqual(['connect-failure']);
  });

  it('passes on an answer that it has no retry for', async () => {
    const busy = await open.origin(
      createRawOrigin((peer) => answer(peer, '503 Service Unavailable')),
    );
    const { service } = open.service([toSpec(busy.target)], {
      budget: { ratio: 0, minPerSecond: 0 },
    });
    const { sink } = startCall(service);
    expect((await sink.ended()).status).toBe(503);
    expect(sink.tries).toHaveLength(1);
  });
});
