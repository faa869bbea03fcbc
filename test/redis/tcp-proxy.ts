/** A way to a server that can be cut without either end being told, as a network does it. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Connections that stand now carry nothing more, and stay open; new ones work. */
  cutStanding(): void;
  /** New connections are refused, and those that stand carry nothing. */
  cutAll(): void;
  mend(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

export async function startTcpProxy(serverPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(serverPort, '127.0.0.1');
    const pair = { near, far };
    pairs.add(pair);
    const end = (): void => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  function cutStanding(): void {
    for (const { near, far } of pairs) {
      near.unpipe(far).resume();
      far.unpipe(near).resume();
    }
  }

  return {
    port: (server.address() as AddressInfo).port,
    cutStanding,
    cutAll() {
      isCut = true;
      cutStanding();
    },
    mend() {
      isCut = false;
    },
    async close() {
      for (const { near, far } of pairs) {
        near.destroy();
        far.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
