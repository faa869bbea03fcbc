/** A gRPC service; messages are bytes, so that no schema stands between test and wire. */
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type MethodDefinition,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerOptions,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { CertificatePem } from './http1-test-certificates.ts';

export const passThrough = (value: Buffer): Buffer => value;

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

export const METHODS = {
  unary: method('Unary', false, false),
  collect: method('Collect', true, false),
  spread: method('Spread', false, true),
  chat: method('Chat', true, true),
  fail: method('Fail', false, false),
  failLate: method('FailLate', false, true),
  hang: method('Hang', false, false),
};

export interface EchoServer {
  readonly port: number;
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
    port,
    address: `127.0.0.1:${port}`,
    nextHanging: () => new Promise((resolve) => (onHang = resolve)),
    stop: () => server.forceShutdown(),
  };
}
