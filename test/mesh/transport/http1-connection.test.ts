import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Http1Call } from '../../../src/mesh/transport/http1-call.ts';
import { Http1Connection } from '../../../src/mesh/transport/http1-connection.ts';
import { toRequestHead } from '../../../src/mesh/transport/http1-request-writer.ts';
import { LIMITS, requestOf } from '../../contracts/upstream-origin.ts';
import type { Origin } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';
import { createRawOrigin } from './http1-origins.ts';

const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';

describe('Http1Connection', () => {
  let origin: Origin | undefined;

  afterEach(() => origin?.close());

  it('is not idle again where a paused socket holds bytes beyond the answer', async () => {
    let peer: Socket | undefined;
    origin = await createRawOrigin(({ socket }) => {
      peer = socket;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
    });
    const socket = connect(origin.target.port, '127.0.0.1');
    await once(socket, 'connect');
    const told: string[] = [];
    const owner = { onIdle: () => told.push('idle'), onGone: () => told.push('gone') };
    const connection = new Http1Connection(socket, owner, LIMITS);
    const request = requestOf();
    const sink = new UpstreamRecorder();
    const call = new Http1Call(request, sink, toRequestHead(request));
    connection.begin(call);
    await sink.until(() => sink.text === 'first');
    call.pause();
    // Two pieces in the socket's buffer: the answer ends with the first.
    const held = async (bytes: number): Promise<void> => {
      while (socket.readableLength < bytes) await turn();
    };
    peer!.write('-half');
    await held(5);
    peer!.write(EVIL);
    await held(5 + EVIL.length);
    call.resume();
    await sink.ended();
    expect(sink.text).toBe('first-half');
    expect(told).toEqual(['gone']);
  });

  it('is idle again, and flows, after an answer that ended while its reader was paused', async () => {
    origin = await createRawOrigin(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody');
    });
    const socket = connect(origin.target.port, '127.0.0.1');
    await once(socket, 'connect');
    const told: string[] = [];
    const owner = { onIdle: () => told.push('idle'), onGone: () => told.push('gone') };
    const connection = new Http1Connection(socket, owner, LIMITS);
    for (let i = 0; i < 2; i++) {
      const request = requestOf();
      const sink = new UpstreamRecorder();
      const call = new Http1Call(request, sink, toRequestHead(request));
      sink.onPiece = () => call.pause();
      connection.begin(call);
      await sink.ended();
      expect([sink.text, sink.reused]).toEqual(['body', i > 0]);
    }
    connection.destroy();
    expect(told).toEqual(['idle', 'idle', 'gone']);
  });
});
