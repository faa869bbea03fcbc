/** Both ends of connections over TCP or TLS; the near ones were accepted, as those of a listener are. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterEach } from 'vitest';
import { createAuthority } from './http1-test-certificates.ts';

export interface SocketPair {
  readonly near: Socket;
  readonly far: Socket;
}

/** Makes pairs, which are closed after each test. To be called where tests are described. */
export function socketPairs(kind: 'tcp' | 'tls'): (count?: number) => Promise<SocketPair[]> {
  const open: (() => unknown)[] = [];
  afterEach(() => {
    for (const close of open.splice(0)) close();
  });
  return async (count = 1) => {
    const isTls = kind === 'tls';
    const certificate = isTls
      ? await (await createAuthority()).issue({ ip: ['127.0.0.1'] })
      : undefined;
    const server = isTls ? createTlsServer({ ...certificate }) : createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push(() => server.close());
    const { port } = server.address() as { port: number };
    const pairs: SocketPair[] = [];
    for (let i = 0; i < count; i++) {
      const accepted = once(server, isTls ? 'secureConnection' : 'connection') as Promise<[Socket]>;
      const far = isTls
        ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
        : connect(port, '127.0.0.1');
      const [near] = await accepted;
      for (const socket of [near, far]) {
        socket.on('error', () => undefined);
        open.push(() => socket.destroy());
      }
      pairs.push({ near, far });
    }
    return pairs;
  };
}
