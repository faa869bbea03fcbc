/** A gRPC server with grpc.health.v1.Health/Check; messages are bytes. */
import {
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js';

export interface HealthServer {
  readonly port: number;
  /** What is answered: a serving status by service name; the name is unknown where there is none. */
  readonly serving: Map<string, number>;
  stop(): void;
}

const identity = (bytes: Buffer): Buffer => bytes;

export async function startHealthServer(): Promise<HealthServer> {
  const serving = new Map<string, number>([['', 1]]);
  const server = new Server();
  server.addService(
    {
      check: {
        path: '/grpc.health.v1.Health/Check',
        requestStream: false,
        responseStream: false,
        requestSerialize: identity,
        requestDeserialize: identity,
        responseSerialize: identity,
        responseDeserialize: identity,
      },
    },
    {
      check({ request }: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
        // Field 1, a string: tag, length, bytes.
        const known = serving.get(request.length === 0 ? '' : request.subarray(2).toString());
        if (known === undefined) answer({ code: status.NOT_FOUND, details: 'unknown service' });
        else answer(null, Buffer.from(known === 0 ? [] : [0x08, known]));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { port, serving, stop: () => server.forceShutdown() };
}
