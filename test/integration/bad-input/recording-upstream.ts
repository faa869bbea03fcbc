/** A real HTTP/1.1 upstream that keeps what it is sent, down to requests that never became whole. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  /** Flat field lines as they stood on the wire. */
  readonly fields: readonly string[];
  readonly body: string;
  /** Flat field lines. */
  readonly trailers: readonly string[];
  /** The end of the message was seen; a request that was broken off stays false. */
  readonly complete: boolean;
  /** The connection is gone. */
  readonly closed: boolean;
  /** Values of a field, by its name in lower case. */
  valuesOf(name: string): readonly string[];
}

export type Answering = (
  request: IncomingMessage,
  response: ServerResponse,
  recorded: RecordedRequest,
) => void;

class Recording implements RecordedRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly string[];
  body = '';
  trailers: readonly string[] = [];
  complete = false;
  closed = false;

  constructor(request: IncomingMessage) {
    this.method = request.method!;
    this.target = request.url!;
    this.fields = request.rawHeaders.slice();
  }

  valuesOf(name: string): readonly string[] {
    return this.fields.filter(
      (_, at) => at % 2 === 1 && this.fields[at - 1]!.toLowerCase() === name,
    );
  }
}

export class RecordingUpstream {
  readonly port: number;
  /** In the order their heads came. */
  requests: RecordedRequest[] = [];
  /** Bytes that the strict parser of node:http took for no request. */
  garbled: string[] = [];
  /** Called when a request is whole; reset by `forget`. */
  answering: Answering = answerWithTarget;
  /** Called when the head has come, for answers that do not wait for the body. */
  answeringHead: Answering | undefined = undefined;
  readonly #close: () => Promise<void>;
  #waiting: (() => void)[] = [];

  constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get targets(): readonly string[] {
    return this.requests.map(({ target }) => target);
  }

  /** Begins a new test. */
  forget(): void {
    this.requests = [];
    this.garbled = [];
    this.answering = answerWithTarget;
    this.answeringHead = undefined;
  }

  /** Resolves as soon as what has been recorded meets the condition. */
  async until(condition: (upstream: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  close(): Promise<void> {
    return this.#close();
  }

  record(request: IncomingMessage, response: ServerResponse): void {
    const recording = new Recording(request);
    this.requests.push(recording);
    request.on('data', (chunk: Buffer) => {
      recording.body += chunk.toString('latin1');
      this.#wake();
    });
    request.on('error', () => undefined);
    request.on('end', () => {
      recording.complete = true;
      recording.trailers = request.rawTrailers.slice();
      this.#wake();
      if (this.answeringHead === undefined) this.answering(request, response, recording);
    });
    request.on('close', () => {
      // Of a request that was whole, this only says that it has been read.
      recording.closed = !recording.complete || request.socket.destroyed;
      this.#wake();
    });
    response.on('close', () => {
      if (!response.writableFinished) recording.closed = true;
      this.#wake();
    });
    this.answeringHead?.(request, response, recording);
    this.#wake();
  }

  garble(bytes: Buffer | undefined): void {
    this.garbled.push(bytes?.toString('latin1') ?? '');
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function answerWithTarget(
  _request: IncomingMessage,
  response: ServerResponse,
  { target }: RecordedRequest,
): void {
  response.end(`answer to ${target}`);
}

export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  const server = createServer({ insecureHTTPParser: false, maxHeaderSize: 256 * 1024 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = new RecordingUpstream((server.address() as AddressInfo).port, async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  server.on('request', (request, response) => upstream.record(request, response));
  server.on('checkContinue', (request, response) => {
    response.writeContinue();
    upstream.record(request, response);
  });
  server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket: Socket) => {
    // A connection that just ends is no garbled request.
    if (error.rawPacket !== undefined) upstream.garble(error.rawPacket);
    socket.destroy();
  });
  return upstream;
}
