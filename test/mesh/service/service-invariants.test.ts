import { describe, expect, it } from 'vitest';
import { ManualBody, readyBody } from '../../contracts/test-body-source.ts';
import { createRawOrigin, type RawPeer } from '../transport/http1-origins.ts';
import { seeded } from '../balancing/endpoints.ts';
import {
  CallRecorder,
  createRefusingTarget,
  serviceFixtures,
  startCall,
  takeForQuick,
  toSpec,
} from './service-fixture.ts';

const open = serviceFixtures();

/** Every way that an answer can go. */
const BEHAVIOURS: readonly ((peer: RawPeer) => void)[] = [
  ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  ({ socket }) => void socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'),
  ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
  ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
  ({ socket }) => void socket.write('HTTP/1.1 101 Go\r\nUpgrade: echo\r\n\r\n'),
  ({ socket }) => void socket.write('not HTTP at all\r\n\r\n'),
  ({ socket }) => void socket.resetAndDestroy(),
  () => {},
];

describe('whatever becomes of calls', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('nothing of them stays counted (walk %i)', async (seed) => {
    const random = seeded(seed);
    const draw = (n: number): number => Math.floor(random() * n);
    const origins = [0, 1, 2].map(() =>
      open.origin(createRawOrigin((peer) => BEHAVIOURS[draw(BEHAVIOURS.length)]!(peer))),
    );
    const specs = (await Promise.all(origins)).map(({ target }) => toSpec(target));
    specs.push(toSpec(await createRefusingTarget()));
    const { service, source } = open.service(specs, {
      retry: { attempts: 2, on: ['connect-failure', 'reset', 'timeout', 503] },
      circuitBreaker: { maxRequests: 12, maxPending: 2, maxConnections: 2 },
      perTryTimeoutMs: 30,
      // Every second walk.
      hedge: seed % 2 === 0 ? { percentile: 0.95, minDelayMs: 1, attempts: 2 } : undefined,
      random,
    });
    const endpoints = new Set(service.endpoints);
    if (seed % 2 === 0) endpoints.forEach(takeForQuick);
    const over: Promise<void>[] = [];
    const sinks: CallRecorder[] = [];
    for (let i = 0; i < 120; i++) {
      const sink = new CallRecorder();
      sinks.push(sink);
      const method = ['GET', 'PUT', 'POST'][draw(3)]!;
      const body = [undefined, readyBody('body'), new ManualBody(9)][draw(3)];
      const call = startCall(
        service,
        {
          method,
          body: method === 'GET' ? undefined : body,
          upgrade: draw(4) === 0 ? 'echo' : undefined,
          timeoutMs: 150,
          toTry: () => {
            const head = { target: '/', authority: 'orders.test', headers: [] };
            const lot = draw(12);
            if (lot === 0) throw new Error('cannot be made');
            if (lot === 1) return Promise.reject(new Error('cannot be made later'));
            return lot < 6 ? Promise.resolve(head) : head;
          },
        },
        sink,
      );
      let turns = draw(40);
      const isAborted = draw(3) === 0;
      over.push(
        (async () => {
          while (turns-- > 0) await new Promise(setImmediate);
          if (draw(4) === 0) call.pause();
          if (isAborted) call.abort();
          else await sink.until(({ isOver }) => isOver);
          // Somebody has to close a tunnel; an abort does not.
          sink.tunnel?.destroy();
        })(),
      );
      if (draw(10) === 0) {
        source.announce(specs.filter(() => draw(3) > 0));
        for (const endpoint of service.endpoints) endpoints.add(endpoint);
      }
      if (draw(3) === 0) await new Promise(setImmediate);
      expect(service.breaker.active).toBeLessThanOrEqual(12);
    }
    await Promise.all(over);
    for (const { calls } of sinks) {
      const ends = calls.filter((call) => ['end', 'error', 'upgrade'].includes(call));
      // At most one, and nothing after it.
      expect(ends).toEqual(calls.slice(calls.length - Math.min(1, ends.length)));
    }
    // Tunnels tell of their end in a turn of their own.
    await service.stop();
    for (const { id, active } of endpoints) expect([id, active]).toEqual([id, 0]);
    expect(service.breaker.active).toBe(0);
  });
});
