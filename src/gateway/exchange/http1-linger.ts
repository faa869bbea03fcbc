/** Closes a connection so that the client can still read what was sent last. */
import type { Socket } from 'node:net';

/** How long a closing connection may go on sending before it is cut. */
const LINGER_MS = 1000;

/**
 * Sends FIN and keeps reading for a while: closing a socket with unread bytes makes the
 * kernel send RST, which may overtake the answer (RFC 9112 §9.6).
 */
export function lingerClose(socket: Socket): void {
  // Ended already: by us, or by node:http on the client's FIN, which closes it without our help.
  if (socket.destroyed || socket.writableEnded) return;
  socket.end();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  // Where no parser reads any more, somebody must, or the client's FIN is never seen.
  socket.resume();
}

/** Has node:http, which closes by `destroySoon` after the last answer, linger instead. */
export function lingerAfterLastAnswer(socket: Socket): void {
  socket.destroySoon = () => lingerClose(socket);
}
