/** Clients of the gRPC service of the tests. */
import {
  Client,
  credentials,
  Metadata,
  type ClientOptions,
  type ServiceError,
} from '@grpc/grpc-js';
import { METHODS, passThrough } from '../../mesh/transport/grpc-echo-server.ts';

interface UnaryResult {
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

/** What a call fails with; where it does not fail, an error without a code. */
export async function failure(call: Promise<unknown>): Promise<ServiceError> {
  const outcome = await call.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  return outcome as ServiceError;
}
