/** The address of this machine that others can be told. */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';

export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** What a process listens on to be reached by any address of its machine; nobody can connect to it. */
const ANYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export function isAnywhere(host: string): boolean {
  return ANYWHERE.has(host);
}

/**
 * The address from which `towards` is reached: who shares the backplane shares that network.
 * Nothing is sent: connecting a UDP socket only asks the routing table. `127.0.0.1` where there is
 * no way there.
 */
export async function findAdvertisedHost(towards: Destination): Promise<string> {
  try {
    const { address, family } = await lookup(towards.host);
    return await sourceAddress({ host: address, port: towards.port }, family === 6);
  } catch {
    return '127.0.0.1';
  }
}

function sourceAddress({ host, port }: Destination, isIPv6: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6 ? 'udp6' : 'udp4');
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.connect(port, host, () => {
      const { address } = socket.address();
      socket.close();
      resolve(address);
    });
  });
}
