/** WebSockets as the demo's tests use them. */
import { once } from 'node:events';

export interface EchoSession {
  readonly socket: WebSocket;
  /** The next message that is not yet taken. */
  next(): Promise<string>;
  /** The code that it was closed with. */
  readonly closed: Promise<number>;
}

/** Open, and with no message missed. */
export async function openEcho(url: string): Promise<EchoSession> {
  const socket = new WebSocket(url);
  const messages: string[] = [];
  socket.addEventListener('message', ({ data }) => messages.push(String(data)));
  const closed = once(socket, 'close').then(([event]) => (event as CloseEvent).code);
  await once(socket, 'open');
  return {
    socket,
    async next() {
      while (messages.length === 0) await once(socket, 'message');
      return messages.shift()!;
    },
    closed,
  };
}
