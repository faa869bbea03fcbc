/** The contract of an Upstream: what holds whichever HTTP the endpoint speaks. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Upstream, UpstreamLimits } from '../../src/mesh/transport/upstream.ts';
import { ManualBody, readyBody } from './test-body-source.ts';
import { describeUpstreamFailures } from './upstream-failures.ts';
import { LIMITS, readBody, requestOf } from './upstream-origin.ts';
import type { Origin, OriginHandler, UpstreamContract } from './upstream-origin.ts';
import { UpstreamRecorder } from './upstream-recorder.ts';
import { describeUpstreamStreaming } from './upstream-streaming.ts';

/** An origin and an upstream to it, closed after the test. */
export interface UpstreamFixture {
  readonly origin: Origin;
  readonly upstream: Upstream;
}

export type CreateFixture = (
  handler: OriginHandler,
  limits?: Partial<UpstreamLimits>,
) => Promise<UpstreamFixture>;

/** Runs the contract on one kind of upstream. */
export function describeUpstream(name: string, contract: UpstreamContract): void {
  describe(`the upstream contract over ${name}`, () => {
    const fixtures: UpstreamFixture[] = [];

    afterEach(async () => {
      for (const { upstream, origin } of fixtures.splice(0)) {
        upstream.destroy();
        await origin.close();
      }
    });

    const create: CreateFixture = async (handler, limits = {}) => {
      const origin = await contract.createOrigin(handler);
      const upstream = contract.createUpstream(origin.target, { ...LIMITS, ...limits });
      const fixture = { origin, upstream };
      fixtures.push(fixture);
      return fixture;
    };

    describeMessages(create);
    describeUpstreamStreaming(create);
    describeUpstreamFailures(create, contract);
  });
}

function describeMessages(create: CreateFixture): void {
  it('sends method, target, authority and fields, and returns status, fields and body', async () => {
    const { upstream } = await create(({ request, response }) => {
      const { method, url, headers } = request;
      const seen = {
        method,
        url,
        host: headers.host ?? headers[':authority'],
        x: headers['x-one'],
      };
      response.writeHead(201, { 'x-answer': 'yes', 'content-type': 'application/json' });
      response.end(JSON.stringify(seen));
    });
    const sink = new UpstreamRecorder();
    upstream.send(
      requestOf({
        method: 'DELETE',
        target: '/a%20b/c?d=e&f',
        authority: 'shop.example:81',
        headers: ['X-One', '1'],
      }),
      sink,
    );
    await sink.ended();
    expect(sink.calls).toEqual(['sent', 'head', 'data', 'end']);
    expect(sink.status).toBe(201);
    expect(sink.values('x-answer')).toEqual(['yes']);
    expect(JSON.parse(sink.text)).toEqual({
      method: 'DELETE',
      url: '/a%20b/c?d=e&f',
      host: 'shop.example:81',
      x: '1',
    });
    expect(sink.trailers).toBeUndefined();
  });

  it('keeps repeated field lines apart and in order, both ways', async () => {
    const { upstream } = await create(({ request, response }) => {
      response.writeHead(200, {
        'set-cookie': ['a=1', 'b=2'],
        'x-seen': String(request.headers['x-many']),
      });
      response.end();
    });
    const sink = new UpstreamRecorder();
    upstream.send(requestOf({ headers: ['x-many', 'one', 'x-many', 'two'] }), sink);
    await sink.ended();
    expect(sink.values('set-cookie')).toEqual(['a=1', 'b=2']);
    expect(sink.values('x-seen')).toEqual(['one, two']);
  });

  it.each([
    ['of known length', 11],
    ['of unknown length', undefined],
  ])('sends a body %s', async (_, length) => {
    const { upstream } = await create(({ request, response }) => {
      void readBody(request).then((text) => {
        response.writeHead(200, { 'x-length': request.headers['content-length'] ?? 'none' });
        response.end(`got ${text}`);
      });
    });
    const sink = new UpstreamRecorder();
    const body = readyBody('hello world', length === undefined ? {} : { length });
    upstream.send(requestOf({ method: 'POST', body }), sink);
    await sink.ended();
    expect(sink.text).toBe('got hello world');
    expect(sink.values('x-length')).toEqual([length === undefined ? 'none' : '11']);
  });

  it('sends an empty body', async () => {
    const { upstream } = await create(({ request, response }) => {
      void readBody(request).then((text) => response.end(`[${text}]`));
    });
    const sink = new UpstreamRecorder();
    upstream.send(requestOf({ method: 'PUT', body: readyBody('', { length: 0 }) }), sink);
    await sink.ended();
    expect(sink.text).toBe('[]');
  });

  it('delivers the trailers of an answer', async () => {
    const { upstream } = await create(({ response }) => {
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('body');
      response.addTrailers({ 'x-sum': '42' });
      response.end();
    });
    const sink = new UpstreamRecorder();
    upstream.send(requestOf(), sink);
    await sink.ended();
    expect(sink.text).toBe('body');
    expect(sink.trailers?.map((text) => text.toLowerCase())).toEqual(['x-sum', '42']);
  });

  it('sends the trailers of a request', async () => {
    const { upstream } = await create(({ request, response }) => {
      void readBody(request).then((text) => response.end(`${text} ${request.trailers['x-sum']}`));
    });
    const sink = new UpstreamRecorder();
    const body = readyBody('body', { trailers: ['x-sum', '42'] });
    upstream.send(requestOf({ method: 'POST', body }), sink);
    await sink.ended();
    expect(sink.text).toBe('body 42');
  });

  it.each([
    ['HEAD', 200, { 'content-length': '1000' }],
    ['GET', 204, {}],
    ['GET', 304, { etag: '"1"' }],
  ])(
    'takes the answer to %s with %i as one without a body, and goes on',
    async (method, status, headers) => {
      const { upstream } = await create(({ response }) => {
        response.writeHead(status, headers);
        response.end();
      });
      for (let i = 0; i < 2; i++) {
        const sink = new UpstreamRecorder();
        upstream.send(requestOf({ method }), sink);
        await sink.ended();
        expect(sink.calls).toEqual(['sent', 'head', 'end']);
        expect(sink.status).toBe(status);
        expect(sink.values('content-length')).toEqual(method === 'HEAD' ? ['1000'] : []);
        expect(sink.reused).toBe(i > 0);
      }
    },
  );

  it('passes early hints on before the answer', async () => {
    const { upstream } = await create(({ response }) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' });
      response.writeHead(200);
      response.end('done');
    });
    const sink = new UpstreamRecorder();
    upstream.send(requestOf(), sink);
    await sink.ended();
    expect(sink.calls).toEqual(['sent', 'informational', 'head', 'data', 'end']);
    expect(sink.informational[0]!.status).toBe(103);
    expect(sink.informational[0]!.headers.map((text) => text.toLowerCase())).toEqual([
      'link',
      '</a.css>; rel=preload; as=style',
    ]);
  });

  it('starts an expected body on 100 Continue, and passes the 100 on', async () => {
    const body = new ManualBody(4);
    const { upstream } = await create(({ request, response }) => {
      expect(request.headers.expect).toBe('100-continue');
      expect(body.isStarted).toBe(false);
      response.writeContinue();
      void readBody(request).then((text) => response.end(text));
    });
    const sink = new UpstreamRecorder();
    upstream.send(requestOf({ method: 'POST', body, expectContinue: true }), sink);
    await body.started;
    expect(sink.informational.map(({ status }) => status)).toEqual([100]);
    body.push('ping');
    body.end();
    await sink.ended();
    expect(sink.text).toBe('ping');
  });

  it('never starts an expected body that the upstream refuses', async () => {
    const body = new ManualBody(4);
    const { upstream } = await create(({ response }) => {
      response.writeHead(417);
      response.end('no');
    });
    const sink = new UpstreamRecorder();
    upstream.send(requestOf({ method: 'POST', body, expectContinue: true }), sink);
    await sink.ended();
    expect(sink.status).toBe(417);
    expect(body.isStarted).toBe(false);
    const next = new UpstreamRecorder();
    upstream.send(requestOf(), next);
    await next.ended();
    expect(next.status).toBe(417);
  });

  it('says that a connection is reused from its second request on', async () => {
    const { origin, upstream } = await create(({ response }) => response.end('ok'));
    const reused: (boolean | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      const sink = new UpstreamRecorder();
      upstream.send(requestOf(), sink);
      await sink.ended();
      reused.push(sink.reused);
    }
    expect(reused).toEqual([false, true, true]);
    expect(origin.accepted()).toBe(1);
    expect(upstream.connections).toBe(1);
  });
}
