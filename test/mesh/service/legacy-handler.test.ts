import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import type { LegacyHandler } from '../../../src/mesh/service/legacy-handler.ts';
import type { MeshDispatcher } from '../../../src/mesh/service/mesh-dispatcher.ts';
import { createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import { createTestDispatcher, dispatch } from './dispatcher-fixture.ts';
import { createRefusingTarget, serviceFixtures, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

async function openRaw(onRequest: (peer: RawPeer) => void): Promise<MeshDispatcher> {
  const origin = await open.origin(createRawOrigin(onRequest));
  return createTestDispatcher(open.service([toSpec(origin.target)]).service);
}

describe('an older handler', () => {
  function record(
    dispatcher: Dispatcher,
    more: LegacyHandler = {},
    options: Partial<Dispatcher.DispatchOptions> = {},
  ): { heard: unknown[][]; over: Promise<void> } {
    const heard: unknown[][] = [];
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const texts = (fields: Buffer[]): string[] => fields.map((field) => field.toString('latin1'));
    const handler: LegacyHandler = {
      onConnect: () => heard.push(['connect']),
      onHeaders: (status, headers, _resume, reason) =>
        void heard.push(['headers', status, texts(headers), reason]),
      onData: (chunk) => void heard.push(['data', String(chunk)]),
      onComplete: (trailers) => {
        heard.push(['complete', texts(trailers)]);
        resolve();
      },
      onError: (error) => {
        heard.push(['error', error]);
        resolve();
      },
      ...more,
    };
    dispatcher.dispatch(
      { origin: 'http://orders.mesh', path: '/', method: 'GET', ...options },
      handler,
    );
    return { heard, over };
  }

  const answered = ({ socket }: RawPeer): void => {
    socket.write(
      'HTTP/1.1 200 Fine\r\nX-A: caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 9\r\n\r\n',
      'latin1',
    );
  };

  it('hears the answer with its fields as bytes', async () => {
    const { heard, over } = record(await openRaw(answered));
    await over;
    expect(heard).toEqual([
      ['connect'],
      ['headers', 200, ['X-A', 'caf\xe9', 'Transfer-Encoding', 'chunked'], 'Fine'],
      ['data', 'body'],
      ['complete', ['X-Sum', '9']],
    ]);
  });

  it.each(['onHeaders', 'onData'] as const)('holds the answer back by %s', async (hook) => {
    const BYTES = 4 * 1024 * 1024;
    const dispatcher = await openRaw(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BYTES}\r\n\r\n`);
      socket.write('m'.repeat(BYTES));
    });
    let bytes = 0;
    let isHeld = true;
    let resume: (() => void) | undefined;
    const { over } = record(dispatcher, {
      onHeaders: (_status, _headers, resumeAnswer) => {
        resume = resumeAnswer;
        return hook !== 'onHeaders';
      },
      onData: (chunk) => {
        bytes += chunk.length;
        return !isHeld;
      },
    });
    // Another one reads all of its answer in the meantime.
    expect((await dispatch(dispatcher).over).text).toHaveLength(BYTES);
    expect(bytes).toBeLessThan(BYTES);
    isHeld = false;
    resume!();
    await over;
    expect(bytes).toBe(BYTES);
  });

  it('aborts by what it was given at the start', async () => {
    const reason = new Error('enough');
    const heard = record(await openRaw(answered), { onConnect: (abort) => abort(reason) }).heard;
    expect(heard).toEqual([['error', reason]]);
  });

  it('hears of what went wrong', async () => {
    const dead = await createRefusingTarget();
    const { service } = open.service([toSpec(dead)]);
    const { heard, over } = record(createTestDispatcher(service));
    await over;
    expect(heard.at(-1)).toMatchObject(['error', { code: 'ECONNREFUSED' }]);
  });

  it('gets its tunnel', async () => {
    const dispatcher = await openRaw(({ socket }) => {
      socket.write('HTTP/1.1 101 Go\r\nUpgrade: echo\r\n\r\nhello');
    });
    const upgraded = new Promise<unknown[]>((resolve) => {
      record(
        dispatcher,
        {
          onUpgrade: (status, headers, socket) => {
            socket.once('data', (chunk: Buffer) => {
              resolve([status, headers.map(String), String(chunk)]);
              socket.destroy();
            });
          },
        },
        { upgrade: 'echo' },
      );
    });
    expect(await upgraded).toEqual([101, ['Upgrade', 'echo'], 'hello']);
  });
});
