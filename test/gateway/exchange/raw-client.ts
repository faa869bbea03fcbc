/** A socket that a test drives byte by byte. */
import { connect as connectTcp, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Echoed } from './fake-door.ts';

export class RawClient {
  readonly socket: Socket;
  /** Bytes received so far. */
  bytes = 0;
  ended = false;
  closed = false;
  error: Error | undefined = undefined;
  #waiting: (() => void)[] = [];
  #chunks: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.#chunks.push(chunk);
      this.#wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
    onTestFinished(() => void socket.destroy());
  }

  get received(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** Resolves when the condition holds; rejects when the connection closes before. */
  async until(condition: (client: this) => boolean): Promise<this> {
    while (!condition(this)) {
      if (this.closed) throw new Error(`Closed after: ${this.text.slice(0, 2000)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this;
  }

  untilText(text: string): Promise<this> {
    return this.until((client) => client.text.includes(text));
  }

  /** The head of the first message, without the empty line. */
  async untilHead(): Promise<string> {
    await this.untilText('\r\n\r\n');
    return this.text.slice(0, this.text.indexOf('\r\n\r\n'));
  }

  /** Everything up to the end of the connection. */
  async untilEnd(): Promise<string> {
    await this.until((client) => client.ended || client.closed);
    return this.text;
  }

  async untilClosed(): Promise<string> {
    while (!this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.text;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** `from`: the address to connect from, any of 127.0.0.0/8. */
export async function connectRaw(port: number, from = '127.0.0.1'): Promise<RawClient> {
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
  const client = new RawClient(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  return client;
}

/** A complete answer that closed its connection. */
export function parseAnswer(text: string): {
  readonly status: number;
  readonly head: string;
  readonly body: string;
} {
  const end = text.indexOf('\r\n\r\n');
  return {
    status: Number(text.slice(9, 12)),
    head: text.slice(0, end),
    body: text.slice(end + 4),
  };
}

/** Sends a request and reads what the echoing door says of it. */
export async function exchange(client: RawClient, bytes: string): Promise<Echoed> {
  const before = client.text.length;
  client.send(bytes);
  await client.until(({ text }) => /\r\n\r\n\{.*\}$/s.test(text.slice(before)));
  return JSON.parse(
    Buffer.from(parseAnswer(client.text.slice(before)).body, 'latin1').toString(),
  ) as Echoed;
}
