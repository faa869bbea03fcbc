/** An origin whose answers are laid down byte by byte, and which tells over which connection it was asked. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

/** What an origin sends after a request. */
export interface RawAnswer {
  /** Octets as latin1; each is read before the next is written. */
  readonly segments: readonly string[];
  /** What it does after the last segment; `keep` leaves the connection open. */
  readonly ending: 'keep' | 'end' | 'reset';
}

/** Asks for the answer that is the same each time. */
export const PROBE_TARGET = '/probe';
export const PROBE_BODY = 'the answer to the probe';
const PROBE_ANSWER = `HTTP/1.1 200 OK\r\nContent-Length: ${PROBE_BODY.length}\r\n\r\n${PROBE_BODY}`;

export class AnswerOrigin {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #echoServer: Server;
  #echo: Socket | undefined;
  #connections = 0;
  #answer: RawAnswer = { segments: [], ending: 'keep' };
  #written = Promise.withResolvers<void>();
  #socket: Socket | undefined;
  /** The connection that the answer went over, and the one that the last probe came over. */
  answered = 0;
  probed = 0;

  constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#echoServer = createServer({ noDelay: true }, (socket) => socket.pipe(socket));
  }

  async start(): Promise<void> {
    for (const server of [this.#server, this.#echoServer]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    const { port } = this.#echoServer.address() as AddressInfo;
    this.#echo = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(this.#echo, 'connect');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Answers the next request so. Resolves when all of it has been written, or nobody is left to read it. */
  play(answer: RawAnswer): Promise<void> {
    this.#answer = answer;
    this.#written = Promise.withResolvers();
    return this.#written.promise;
  }

  /** Ends the connection that the answer went over. */
  endAnswer(): void {
    this.#socket?.end();
  }

  /**
   * Resolves when all that was written before has been read at the other end: a round trip over
   * loopback, which nothing written earlier is behind, and the turns in which a reader acts on it.
   */
  async settle(): Promise<void> {
    this.#echo!.write('.');
    await once(this.#echo!, 'data');
    await turn();
    await turn();
  }

  async close(): Promise<void> {
    this.#echo?.destroy();
    for (const socket of this.#sockets) socket.destroy();
    for (const server of [this.#server, this.#echoServer]) {
      server.close();
      await once(server, 'close');
    }
  }

  #accept(socket: Socket): void {
    const connection = ++this.#connections;
    let text = '';
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // A reader that refuses what it is sent resets the connection.
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        if (head.split(' ')[1] === PROBE_TARGET) {
          this.probed = connection;
          socket.write(PROBE_ANSWER, 'latin1');
        } else {
          this.answered = connection;
          this.#socket = socket;
          void this.#send(socket).then(this.#written.resolve, this.#written.reject);
        }
      }
    });
  }

  async #send(socket: Socket): Promise<void> {
    const { segments, ending } = this.#answer;
    for (const [index, segment] of segments.entries()) {
      // Or two segments would be read as one.
      if (index > 0) await this.settle();
      if (!socket.writable) return;
      socket.write(segment, 'latin1');
    }
    if (ending === 'end') socket.end();
    if (ending === 'reset') {
      // RST overtakes what has not been read yet.
      await this.settle();
      socket.resetAndDestroy();
    }
  }
}
