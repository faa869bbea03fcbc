import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { FloodBody, ManualBody, readyBody } from '../../contracts/test-body-source.ts';
import { requestOf } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';
import { ANSWERS, REFUSED } from './http1-answer-corpus.ts';
import type { AnswerOptions } from './http1-answer-corpus.ts';
import { createNodeOrigin, createRawOrigin, listen } from './http1-origins.ts';
import { fetchOnce, record, upstreamFixtures } from './http1-test-upstream.ts';

const open = upstreamFixtures();
const MIB = 1024 * 1024;

const OUTCOMES = {
  done: 'end',
  'done at the end': 'end',
  upgraded: 'upgrade',
  failed: 'protocol',
  incomplete: 'reset',
} as const;

/** What a sink hears of an answer that comes in these pieces before the connection ends. */
async function hear(pieces: readonly string[], options: AnswerOptions) {
  const { upstream } = await open(
    createRawOrigin(({ socket }) => {
      void (async () => {
        for (const piece of pieces) {
          socket.write(piece, 'latin1');
          await turn();
        }
        socket.end();
      })();
    }),
  );
  const sink = record(upstream, {
    method: options.isHead === true ? 'HEAD' : 'GET',
    upgrade: options.mayUpgrade === true ? 'websocket' : undefined,
  });
  await sink.until(() => sink.isOver);
  sink.tunnel?.destroy();
  const { status, reason, headers, text, trailers, informational, error } = sink;
  const outcome = error === undefined ? sink.calls.at(-1) : error.failure;
  return { status, reason, headers, text, trailers, informational, outcome };
}

describe('answers over a real socket', () => {
  for (const { title, bytes, expected, options } of ANSWERS) {
    it(`hears ${title} the same, whole and byte by byte`, async () => {
      const whole = await hear([bytes], options);
      expect(whole).toMatchObject({
        ...(expected.outcome !== undefined && { outcome: OUTCOMES[expected.outcome] }),
        ...(expected.body !== undefined && { text: expected.body }),
      });
      expect(await hear(bytes.split(''), options)).toEqual(whole);
    });
  }

  it('fails with protocol on every answer to be refused, and closes', async () => {
    for (const { title, bytes, options } of REFUSED) {
      const { upstream } = await open(
        createRawOrigin(({ socket }) => socket.write(bytes, 'latin1')),
        { maxHeadBytes: 4096, ...options },
      );
      const error = await record(upstream).failed();
      expect([title, error.failure, error.sent]).toEqual([title, 'protocol', true]);
      expect(upstream.connections).toBe(0);
    }
  });

  it('fails with reset where RST ends an answer that had no length', async () => {
    let peer: Socket | undefined;
    const { upstream } = await open(
      createRawOrigin(({ socket }) => {
        peer = socket;
        socket.write('HTTP/1.1 200 OK\r\n\r\nhalf of');
      }),
    );
    const sink = record(upstream);
    await sink.until(() => sink.bytes > 0);
    peer!.resetAndDestroy();
    expect(await sink.failed()).toMatchObject({ failure: 'reset', answered: true });
  });

  it('delivers what was read before the end even to a reader that was paused', async () => {
    const { upstream } = await open(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n' + 'a'.repeat(100_000));
        socket.end();
      }),
    );
    const sink = new UpstreamRecorder();
    const call = upstream.send(requestOf(), sink);
    sink.onPiece = () => {
      call.pause();
      setImmediate(() => call.resume());
    };
    await sink.ended();
    expect(sink.bytes).toBe(100_000);
  });

  it('starts an expected body by itself where no 100 comes within a second', async () => {
    const { upstream } = await open(
      createNodeOrigin(({ request, response }) => {
        request.resume().on('end', () => response.end('got it'));
      }),
    );
    const body = new ManualBody(2);
    const startedAt = performance.now();
    const sink = record(upstream, {
      method: 'PUT',
      body,
      expectContinue: true,
      responseTimeoutMs: 5000,
    });
    await body.started;
    expect(performance.now() - startedAt).toBeGreaterThan(990);
    body.push('hi');
    body.end();
    await sink.ended();
    expect(sink.text).toBe('got it');
  });

  it('does not start an expected body during a long answer that came without 100', async () => {
    const { upstream } = await open(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno');
        void delay(1200).then(() => socket.write('pe'));
      }),
    );
    const body = new ManualBody(2);
    const timeouts = { responseTimeoutMs: 5000, idleTimeoutMs: 15_000 };
    const sink = record(upstream, { method: 'PUT', body, expectContinue: true, ...timeouts });
    await sink.ended();
    expect([sink.text, body.isStarted]).toEqual(['nope', false]);
  });

  it('fails with timeout where the upstream does not read the body', async () => {
    const { upstream } = await open(createNodeOrigin(() => {}));
    const body = new FloodBody(64 * MIB, { declared: true });
    const error = await record(upstream, { method: 'PUT', body, responseTimeoutMs: 300 }).failed();
    expect(error).toMatchObject({ failure: 'timeout', sent: true, answered: false });
    expect(body.isCancelled).toBe(true);
  });

  it('fails with request-body where the client stalls its own body', async () => {
    const { upstream } = await open(createNodeOrigin(() => {}));
    const body = new ManualBody(10);
    const error = await record(upstream, { method: 'PUT', body, idleTimeoutMs: 100 }).failed();
    expect(error).toMatchObject({ failure: 'request-body', sent: true, answered: false });
  });

  it('does not let early hints put the response timeout off', async () => {
    const { upstream } = await open(
      createRawOrigin(({ socket }) => {
        const hint = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 20);
        socket.on('close', () => clearInterval(hint));
      }),
    );
    const error = await record(upstream, { responseTimeoutMs: 200 }).failed();
    expect(error).toMatchObject({ failure: 'timeout', answered: false });
  });

  it('does not take for late what arrived while this process was held up', async () => {
    const { upstream } = await open(
      createRawOrigin(({ socket }) => {
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        const until = performance.now() + 700;
        while (performance.now() < until);
      }),
    );
    expect((await fetchOnce(upstream, { responseTimeoutMs: 500 })).status).toBe(204);
  });
});

describe('requests over a real socket', () => {
  it('sends the head and a body at hand in one packet', async () => {
    const packets: string[] = [];
    const { upstream } = await open(
      listen(
        createServer((socket) => {
          socket.on('error', () => {});
          socket.on('data', (chunk) => {
            packets.push(chunk.toString('latin1'));
            socket.write('HTTP/1.1 204 No Content\r\n\r\n');
          });
        }),
        'http1',
      ),
    );
    const body = readyBody('hello', { trailers: ['x-sum', '1'] });
    await fetchOnce(upstream, { method: 'POST', body });
    expect(packets).toEqual([
      'POST / HTTP/1.1\r\nHost: origin.test\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n',
    ]);
  });
});

/** What waits to be collected depends on how busy the machine is, and says nothing of what is held. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('a long answer', () => {
  it('of 200 MB passes through flat memory, under pauses', async () => {
    const piece = Buffer.alloc(64 * 1024);
    const total = 3200 * piece.length;
    const { upstream } = await open(
      createNodeOrigin(({ response }) => {
        let left = total;
        const writeOn = (): void => {
          while (left > 0) {
            left -= piece.length;
            if (response.write(piece)) continue;
            response.once('drain', writeOn);
            return;
          }
          response.end();
        };
        writeOn();
      }),
    );
    const sink = new UpstreamRecorder({ keepsBody: false });
    const call = upstream.send(requestOf(), sink);
    let peakBytes = 0;
    let pieces = 0;
    const before = process.memoryUsage().arrayBuffers;
    sink.onPiece = () => {
      if (++pieces % 200 !== 0) return;
      collectGarbage();
      peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers - before);
      call.pause();
      void delay(5).then(() => call.resume());
    };
    await sink.ended();
    expect(sink.bytes).toBe(total);
    expect(peakBytes).toBeLessThan(32 * MIB);
  });
});
