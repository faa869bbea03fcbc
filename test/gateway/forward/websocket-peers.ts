/** WebSockets on connected sockets, their handshakes done, for the tunnel's tests. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket, type WebSocketServer } from 'ws';

/** Makes `far` a WebSocket of the server's; `near` is left after the handshake. */
export async function upgradeServer(
  server: WebSocketServer,
  far: Socket,
  near: Socket,
): Promise<WebSocket> {
  const http = createHttpServer();
  const upgraded = new Promise<WebSocket>((resolve) => {
    http.on('upgrade', (request, socket, head) =>
      server.handleUpgrade(request, socket, head, resolve),
    );
  });
  http.emit('connection', far);
  near.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const webSocket = await upgraded;
  await readHead(near);
  return webSocket;
}

/** Makes `near` a client's WebSocket; `far` is left after the handshake. */
export async function upgradeClient(near: Socket, far: Socket): Promise<WebSocket> {
  const webSocket = new WebSocket('ws://a/', { createConnection: () => near });
  const head = await readHead(far);
  const key = /Sec-WebSocket-Key: (.*)\r\n/i.exec(head)![1]!;
  const accept = createHash('sha1')
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  far.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  await once(webSocket, 'open');
  return webSocket;
}

async function readHead(socket: Socket): Promise<string> {
  let text = '';
  while (!text.includes('\r\n\r\n')) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) await once(socket, 'readable');
    else text += chunk.toString('latin1');
  }
  return text;
}
