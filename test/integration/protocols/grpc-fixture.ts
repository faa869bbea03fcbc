/** A gRPC service and its clients; messages are bytes, so that no schema stands between test and wire. */
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ClientOptions,
  type MethodDefinition,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerOptions,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { CertificatePem } from '../../mesh/transport/http1-test-certificates.ts';

const passThrough = (value: Buffer): Buffer => value;

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: passThrough,
    requestDeserialize: passThrough,
    responseSerialize: passThrough,
    responseDeserialize: passThrough,
  };
}

const METHODS = {
  unary: method('Unary', false, false),
  collect: method('Collect', true, false),
  spread: method('Spread', false, true),
  chat: method('Chat', true, true),
  fail: method('Fail', false, false),
  failLate: method('FailLate', false, true),
  hang: method('Hang', false, false),
};

export interface EchoServer {
  readonly address: string;
  /** The next call of `hang`, which is never answered. */
  nextHanging(): Promise<ServerUnaryCall<Buffer, Buffer>>;
  stop(): void;
}

/** In the clear, or over TLS with a certificate. */
export async function startEchoServer(
  certificate?: CertificatePem,
  options: ServerOptions = {},
): Promise<EchoServer> {
  const server = new Server(options);
  let onHang: (call: ServerUnaryCall<Buffer, Buffer>) => void = () => undefined;
  server.addService(METHODS, {
    /** Returns the message; metadata that begin with `echo-` come back as head and trailers. */
    unary(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
      const head = new Metadata();
      const trailers = new Metadata();
      for (const [key, value] of Object.entries(call.metadata.getMap())) {
        if (!key.startsWith('echo-')) continue;
        head.set(`head-${key}`, value);
        trailers.set(`trailer-${key}`, value);
      }
      call.sendMetadata(head);
      callback(null, call.request, trailers);
    },
    collect(call: ServerReadableStream<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
      const parts: string[] = [];
      call.on('data', (part: Buffer) => parts.push(part.toString()));
      call.on('end', () => callback(null, Buffer.from(parts.join('+'))));
    },
    spread(call: ServerWritableStream<Buffer, Buffer>) {
      for (const part of call.request.toString().split(' ')) call.write(Buffer.from(part));
      call.end();
    },
    chat(call: ServerDuplexStream<Buffer, Buffer>) {
      call.on('data', (part: Buffer) => call.write(Buffer.from(part.toString().toUpperCase())));
      call.on('end', () => call.end());
    },
    fail(_call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
      const metadata = new Metadata();
      metadata.set('reason-bin', Buffer.from([0, 255, 1]));
      callback({ code: status.DATA_LOSS, details: 'nötig: 100%', metadata });
    },
    failLate(call: ServerWritableStream<Buffer, Buffer>) {
      call.write(Buffer.from('some'));
      call.emit('error', { code: status.ABORTED, details: 'after some' });
    },
    hang(call: ServerUnaryCall<Buffer, Buffer>) {
      onHang(call);
    },
  } satisfies UntypedServiceImplementation);
  const secure =
    certificate === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(certificate.cert), private_key: Buffer.from(certificate.key) },
        ]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', secure, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    address: `127.0.0.1:${port}`,
    nextHanging: () => new Promise((resolve) => (onHang = resolve)),
    stop: () => server.forceShutdown(),
  };
}

export interface UnaryResult {
  readonly message: Buffer;
  readonly head: Metadata;
  readonly trailers: Metadata;
}

/** A client of one listener. */
export class EchoClient {
  readonly #client: Client;
  readonly #prefix: string;

  /** `prefix` goes before the method's path, so that routes can tell upstreams apart. */
  constructor(address: string, tls: boolean, prefix = '', options: ClientOptions = {}) {
    const secure = tls
      ? credentials.createSsl(null, null, null, { rejectUnauthorized: false })
      : credentials.createInsecure();
    this.#client = new Client(address, secure, options);
    this.#prefix = prefix;
  }

  unary(
    message: Buffer,
    metadata = new Metadata(),
    options: { readonly deadline?: number } = {},
    name: 'unary' | 'fail' | 'hang' = 'unary',
  ): Promise<UnaryResult> {
    return this.start(message, metadata, options, name).result;
  }

  /** A unary call that can be cancelled. */
  start(
    message: Buffer,
    metadata = new Metadata(),
    options: { readonly deadline?: number } = {},
    name: 'unary' | 'fail' | 'hang' = 'unary',
  ): { readonly result: Promise<UnaryResult>; readonly cancel: () => void } {
    let cancel = (): void => undefined;
    const result = new Promise<UnaryResult>((resolve, reject) => {
      let head = new Metadata();
      let reply: Buffer | undefined;
      const call = this.#client.makeUnaryRequest(
        this.#path(name),
        passThrough,
        passThrough,
        message,
        metadata,
        options,
        (error: ServiceError | null, value) => {
          if (error === null) reply = value;
          else reject(error);
        },
      );
      cancel = () => call.cancel();
      call.on('metadata', (received) => (head = received));
      call.on('status', ({ metadata: trailers }) => {
        if (reply !== undefined) resolve({ message: reply, head, trailers });
      });
    });
    return { result, cancel: () => cancel() };
  }

  /** Sends all parts; resolves to the one answer. */
  collect(parts: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeClientStreamRequest(
        this.#path('collect'),
        passThrough,
        passThrough,
        (error: ServiceError | null, value) =>
          error === null ? resolve(value!.toString()) : reject(error),
      );
      for (const part of parts) call.write(Buffer.from(part));
      call.end();
    });
  }

  serverStream(name: 'spread' | 'failLate', message: string) {
    return this.#client.makeServerStreamRequest(
      this.#path(name),
      passThrough,
      passThrough,
      Buffer.from(message),
    );
  }

  chat() {
    return this.#client.makeBidiStreamRequest(this.#path('chat'), passThrough, passThrough);
  }

  close(): void {
    this.#client.close();
  }

  #path(name: keyof typeof METHODS): string {
    return this.#prefix + METHODS[name].path;
  }
}
