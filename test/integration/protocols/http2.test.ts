/** HTTP/2 through the whole gateway: many streams, interim answers, cancellation, leave-taking. */
import { once } from 'node:events';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { openSession, receive } from './http2-client.ts';
import {
  rawService,
  startHttp2Origin,
  startRawOrigin,
  type RawOrigin,
  type TestOrigin,
} from './origins.ts';

interface Arrived {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

let raw: RawOrigin;
let held: TestOrigin;
let gateway: TestGateway;
let onStream: (arrived: Arrived) => void = () => undefined;

beforeAll(async () => {
  raw = await startRawOrigin();
  held = await startHttp2Origin((stream, headers) => onStream({ stream, headers }));
  gateway = await startTestGateway();
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([raw?.close(), held?.close()]);
});

const startTestGateway = (): Promise<TestGateway> =>
  startGateway({
    services: {
      raw: rawService(raw),
      held: { protocol: 'h2c', endpoints: [{ address: held.address }] },
    },
    routes: ['raw', 'held'].map((name) => ({ name, match: { path: `/${name}/*` }, to: name })),
  });

/** The next so many streams that reach the HTTP/2 upstream. */
function arrivals(count: number): Promise<Arrived[]> {
  const arrived: Arrived[] = [];
  return new Promise((resolve) => {
    onStream = (one) => {
      arrived.push(one);
      if (arrived.length === count) resolve(arrived);
    };
  });
}

describe.for([
  ['h2c', false],
  ['h2', true],
] as const)('%s', ([, tls]) => {
  it('carries many requests at a time, answered in any order', async () => {
    const session = openSession(gateway, tls);
    const upstream = arrivals(60);
    const answers = Array.from({ length: 60 }, (_, n) => {
      const stream = session.request({ ':path': `/held/${n}`, ':method': 'POST' });
      stream.end(`body ${n}`);
      return receive(stream);
    });
    for (const { stream, headers } of (await upstream).toReversed()) {
      stream.respond({ ':status': 200, 'x-path': headers[':path'] });
      stream.pipe(stream);
    }
    const received = await Promise.all(answers);
    expect(received.map(({ body }) => body)).toEqual(received.map((_, n) => `body ${n}`));
    expect(received.map(({ headers }) => headers['x-path'])).toEqual(
      received.map((_, n) => `/held/${n}`),
    );
  });

  it('carries trailers both ways', async () => {
    const upstream = arrivals(1);
    const request = openSession(gateway, tls).request(
      { ':path': '/held/', ':method': 'POST' },
      { waitForTrailers: true },
    );
    request.on('wantTrailers', () => request.sendTrailers({ 'x-sum': '7', 'x-list': ['a', 'b'] }));
    request.end('up');
    const answer = receive(request);
    const [{ stream }] = (await upstream) as [Arrived];
    stream.resume();
    const [received] = (await once(stream, 'trailers')) as [IncomingHttpHeaders];
    expect(received).toMatchObject({ 'x-sum': '7', 'x-list': 'a, b' });
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-down': '1', 'x-two': ['c', 'd'] }));
    stream.end('down');
    const { body, trailers } = await answer;
    expect(body).toBe('down');
    expect(trailers).toMatchObject({ 'x-down': '1', 'x-two': 'c, d' });
  });

  it('carries interim answers ahead of the final one', async () => {
    const upstream = arrivals(1);
    const request = openSession(gateway, tls).request({ ':path': '/held/' });
    const hinted = once(request, 'headers');
    const answer = receive(request);
    const [{ stream }] = (await upstream) as [Arrived];
    stream.additionalHeaders({ ':status': 103, link: ['</a>', '</b>'] });
    const [interim] = (await hinted) as [IncomingHttpHeaders];
    expect(interim).toMatchObject({ ':status': 103, link: '</a>, </b>' });
    stream.respond({ ':status': 200 });
    stream.end('done');
    expect(await answer).toMatchObject({ body: 'done', interim: [{ ':status': 103 }] });
  });

  it("relays Expect: 100-continue, and lets the body come on the upstream's 100 alone", async () => {
    const request = openSession(gateway, tls).request(
      { ':path': '/raw/', ':method': 'PUT', 'content-length': '4', expect: '100-continue' },
      { endStream: false },
    );
    const answer = receive(request);
    let continued = false;
    const hundred = once(request, 'continue').then(() => (continued = true));
    const peer = await raw.nextPeer();
    await peer.untilText('\r\n\r\n');
    expect(peer.text).toMatch(/\r\nExpect: 100-continue\r\n/);
    expect(continued).toBe(false);
    peer.send('HTTP/1.1 100 Continue\r\n\r\n');
    await hundred;
    request.end('body');
    await peer.untilText('\r\n\r\nbody');
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await answer).body).toBe('ok');
  });

  it.for(['417 Expectation Failed', '401 Unauthorized'])(
    'keeps the body from an upstream that answers Expect with %s',
    async (line) => {
      const request = openSession(gateway, tls).request(
        { ':path': '/raw/', ':method': 'PUT', 'content-length': '4', expect: '100-continue' },
        { endStream: false },
      );
      let continued = false;
      request.on('continue', () => (continued = true));
      const answer = receive(request);
      const peer = await raw.nextPeer();
      await peer.untilText('\r\n\r\n');
      peer.send(`HTTP/1.1 ${line}\r\nContent-Length: 2\r\n\r\nno`);
      const { headers, body } = await answer;
      expect([headers[':status'], body]).toEqual([Number(line.slice(0, 3)), 'no']);
      expect(continued).toBe(false);
      expect((await peer.untilEnd()).endsWith('\r\n\r\n')).toBe(true);
    },
  );

  it('cancels the upstream with the stream, and nothing beside it', async () => {
    const session = openSession(gateway, tls);
    const upstream = arrivals(2);
    const streams = ['a', 'b'].map((name) => session.request({ ':path': `/held/${name}` }));
    streams[0]!.on('error', () => undefined);
    const kept = receive(streams[1]!);
    const arrived = await upstream;
    const byPath = new Map(arrived.map(({ stream, headers }) => [headers[':path'], stream]));
    const cancelled = once(byPath.get('/held/a')!, 'close');
    streams[0]!.close(constants.NGHTTP2_CANCEL);
    await cancelled;
    expect(byPath.get('/held/a')!.rstCode).toBe(constants.NGHTTP2_CANCEL);
    byPath.get('/held/b')!.respond({ ':status': 200 });
    byPath.get('/held/b')!.end('kept');
    expect((await kept).body).toBe('kept');
  });

  it('closes the HTTP/1.1 connection of a stream that is cancelled', async () => {
    const request = openSession(gateway, tls).request({ ':path': '/raw/' });
    request.on('error', () => undefined);
    const peer = await raw.nextPeer();
    await peer.untilText('\r\n\r\n');
    request.close(constants.NGHTTP2_CANCEL);
    await peer.untilEnd();
    const line = await gateway.waitForLog(
      ({ path, code }) => path === '/raw/' && code !== undefined,
    );
    expect(line['code']).toBe('client_closed_request');
  });

  it('resets a stream whose upstream broke off, and keeps the connection', async () => {
    const session = openSession(gateway, tls);
    const upstream = arrivals(1);
    const request = session.request({ ':path': '/held/' });
    const broken = receive(request).then(
      () => 'complete',
      (error: Error) => error.message,
    );
    const responded = once(request, 'response');
    const [{ stream }] = (await upstream) as [Arrived];
    // Else node would say END_STREAM before it resets.
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.write('half');
    await responded;
    request.on('error', () => undefined);
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    expect(await broken).not.toBe('complete');
    const again = arrivals(1);
    const answer = receive(session.request({ ':path': '/held/' }));
    const [next] = (await again) as [Arrived];
    next.stream.respond({ ':status': 204 }, { endStream: true });
    expect((await answer).headers[':status']).toBe(204);
  });
});

describe('an HTTP/2 upstream', () => {
  it('is told that nothing may be pushed', async () => {
    const upstream = arrivals(1);
    const answer = receive(openSession(gateway, false).request({ ':path': '/held/' }));
    const [{ stream }] = (await upstream) as [Arrived];
    expect(stream.pushAllowed).toBe(false);
    stream.respond({ ':status': 200 }, { endStream: true });
    await answer;
  });
});

describe('a gateway that stops', () => {
  it('says GOAWAY, answers what is in flight, and is done when that has ended', async () => {
    const own = await startTestGateway();
    onTestFinished(() => own.stop());
    const session = openSession(own, true);
    const upstream = arrivals(1);
    const answer = receive(session.request({ ':path': '/held/' }));
    const [{ stream }] = (await upstream) as [Arrived];
    const goaway = once(session, 'goaway');
    let isStopped = false;
    const stopped = own.stop().then(() => (isStopped = true));
    expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
    expect(isStopped).toBe(false);
    stream.respond({ ':status': 200 });
    stream.end('in time');
    expect(await answer).toMatchObject({ headers: { ':status': 200 }, body: 'in time' });
    await stopped;
  });
});
