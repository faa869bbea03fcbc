import { describe, expect, it } from 'vitest';
import { FloodBody, ManualBody, readyBody } from '../../contracts/test-body-source.ts';
import { readBody, type OriginHandler } from '../../contracts/upstream-origin.ts';
import { createNodeOrigin, createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import { serviceFixtures, startCall, toSpec } from './service-fixture.ts';

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

describe('the keep-alive race', () => {
  /** Answers the first request of a connection and breaks it on the second. */
  const closesOnSecond = (peer: RawPeer): void => {
    if (peer.request === 1) answer(peer, '200 OK', '', `on ${peer.connection}`);
    else peer.socket.resetAndDestroy();
  };

  it('is retried though the rules allow no retry, at no cost to the budget', async () => {
    const origin = await open.origin(createRawOrigin(closesOnSecond));
    const { service, retries } = open.service([toSpec(origin.target)], {
      retry: { attempts: 0 },
      budget: { ratio: 0, minPerSecond: 0 },
    });
    await startCall(service).sink.ended();
    const { sink } = startCall(service);
    expect((await sink.ended()).text).toBe('on 2');
    expect(retries).toEqual(['keep-alive-race']);
  });

  it('is retried with the body of a PUT, sent again from its beginning', async () => {
    const bodies: string[] = [];
    const origin = await open.origin(
      createNodeOrigin(({ request, response, reset }) => {
        void readBody(request).then((body) => {
          bodies.push(body);
          if (bodies.length === 2) return reset();
          response.writeHead(200);
          return response.end();
        });
      }),
    );
    const { service } = open.service([toSpec(origin.target)], { retry: { attempts: 0 } });
    await startCall(service).sink.ended();
    const { sink } = startCall(service, { method: 'PUT', body: readyBody('state', { length: 5 }) });
    await sink.ended();
    expect(bodies).toEqual(['', 'state', 'state']);
  });

  it('is not retried for a POST, which may have been done', async () => {
    const origin = await open.origin(createRawOrigin(closesOnSecond));
    const { service } = open.service([toSpec(origin.target)]);
    await startCall(service).sink.ended();
    const { sink } = startCall(service, { method: 'POST' });
    expect(await sink.failed()).toMatchObject({ failure: 'reset', reused: true });
  });

  it('is retried on a fresh connection, where other idle ones may be as stale', async () => {
    const waiting: RawPeer[] = [];
    const origin = await open.origin(
      createRawOrigin((peer) => {
        if (peer.request > 1) {
          peer.socket.resetAndDestroy();
        } else if (peer.connection > 2) {
          answer(peer, '200 OK', '', `on ${peer.connection}`);
        } else {
          // Both are held until they are two, so that two connections become idle.
          waiting.push(peer);
          if (waiting.length === 2) for (const held of waiting) answer(held);
        }
      }),
    );
    const { service, retries } = open.service([toSpec(origin.target)], { retry: { attempts: 0 } });
    await Promise.all([startCall(service).sink.ended(), startCall(service).sink.ended()]);
    const { sink } = startCall(service);
    expect((await sink.ended()).text).toBe('on 3');
    expect(retries).toEqual(['keep-alive-race']);
  });
});

describe('a body', () => {
  /** Reads `bytes` of the first request's body, then breaks it off; answers others with their bodies. */
  function breaksFirstAfter(bytes: number): OriginHandler {
    let isFirst = true;
    return (exchange) => {
      if (!isFirst) {
        echo(exchange);
        return;
      }
      isFirst = false;
      let received = 0;
      exchange.request.on('error', () => {});
      exchange.request.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received >= bytes) exchange.reset();
      });
    };
  }

  it('of a PUT is sent again whole while it streams', async () => {
    const origin = await open.origin(createNodeOrigin(breaksFirstAfter(5)));
    const { service } = open.service([toSpec(origin.target)]);
    const body = new ManualBody();
    const { sink } = startCall(service, { method: 'PUT', body });
    await body.started;
    body.push('first');
    await sink.tried(2);
    body.push(' second');
    body.end();
    expect((await sink.ended()).text).toBe('first second');
  });

  it('of a PUT is sent again whole up to 64 KiB', async () => {
    const origin = await open.origin(createNodeOrigin(breaksFirstAfter(64 * 1024)));
    const { service } = open.service([toSpec(origin.target)]);
    const body = new ManualBody(64 * 1024 + 4);
    const { sink } = startCall(service, { method: 'PUT', body });
    await body.started;
    body.push('m'.repeat(64 * 1024));
    await sink.tried(2);
    body.push('more');
    body.end();
    await sink.ended();
    expect(sink.bytes).toBe(64 * 1024 + 4);
  });

  it('of more than 64 KiB is not sent again', async () => {
    const origin = await open.origin(createNodeOrigin(breaksFirstAfter(64 * 1024 + 1)));
    const { service } = open.service([toSpec(origin.target)]);
    const body = new FloodBody(1024 * 1024, { declared: true });
    const { sink } = startCall(service, { method: 'PUT', body });
    expect(await sink.failed()).toMatchObject({ failure: 'reset' });
    expect(sink.tries).toHaveLength(1);
    expect(body.isCancelled).toBe(true);
  });

  it('is cancelled where the answer is whole before it', async () => {
    const origin = await open.origin(createRawOrigin((peer) => answer(peer, '413 Too Large')));
    const { service } = open.service([toSpec(origin.target)]);
    for (const method of ['PUT', 'POST']) {
      const body = new ManualBody(1000);
      const { sink } = startCall(service, { method, body });
      expect((await sink.ended()).status).toBe(413);
      expect([method, body.isCancelled]).toEqual([method, true]);
    }
  });

  it('that breaks off ends the call with what it broke off with', async () => {
    const origin = await open.origin(createNodeOrigin(() => {}));
    const { service } = open.service([toSpec(origin.target)]);
    const body = new ManualBody();
    const { sink } = startCall(service, { method: 'PUT', body });
    await body.started;
    const cause = new Error('the client left');
    body.fail(cause);
    expect(await sink.failed()).toMatchObject({ failure: 'request-body', cause });
    expect(sink.tries).toHaveLength(1);
  });
});
