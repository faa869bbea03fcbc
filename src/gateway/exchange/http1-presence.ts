/** Whether a client that has ended its side is still there to read. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { renderHttp1Head } from './http1-refusal.ts';

/** An answer that comes sooner needs no asking. */
const LOOK_EVERY_MS = 250;

/**
 * One that has closed its connection looks like one that waits: both have sent FIN. But to whatever
 * is sent to it the former's system replies by RST. So an interim answer is sent, once: clients
 * ignore one that they did not expect (RFC 9110 §15.2). As nothing is read any more, it takes
 * a further write to find out: of no bytes at all, or of one more where TLS would not pass those on.
 * `mayAsk`: the answer has not begun, and the client knows interim ones.
 */
export function watchHalfClosed(socket: Socket, mayAsk: () => boolean): void {
  let questions = socket instanceof TLSSocket ? 2 : 1;
  const timer = setInterval(() => {
    if (!socket.writable || socket.writableNeedDrain) return;
    if (questions > 0 && mayAsk()) {
      questions--;
      socket.write(renderHttp1Head(100, 'Continue', []), 'latin1');
    } else {
      socket.write('');
    }
  }, LOOK_EVERY_MS).unref();
  socket.once('close', () => clearInterval(timer));
}
