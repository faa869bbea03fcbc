import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
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

  it('is not idle again where there were bytes beyond the answer while its reader paused', async () => {
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
    for (const piece of ['-half', EVIL]) await new Promise((done) => peer!.write(piece, done));
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

  it.each(['sends what nobody has asked for', 'closes'])(
    'has sent nothing where the upstream %s before the end of the turn',
    async (what) => {
      let peer: Socket | undefined;
      origin = await createRawOrigin(({ socket }) => void (peer = socket));
      const socket = connect(origin.target.port, '127.0.0.1');
      await once(socket, 'connect');
      const told: string[] = [];
      const owner = { onIdle: () => told.push('idle'), onGone: () => told.push('gone') };
      const connection = new Http1Connection(socket, owner, LIMITS);
      // Found by the reader of the socket, in the turn in which the request is handed over.
      const sink = new UpstreamRecorder();
      const request = requestOf();
      connection.begin(new Http1Call(request, sink, toRequestHead(request)));
      if (what === 'closes') socket.emit('end');
      else socket.emit('data', Buffer.from(EVIL));
      expect(await sink.failed()).toMatchObject({ failure: 'reset', sent: false });
      expect(told).toEqual(['gone']);
      expect(peer?.bytesRead ?? 0).toBe(0);
    },
  );
});
