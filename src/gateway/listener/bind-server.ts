/** Has a server listen at the address of a configuration. */
import type { Server } from 'node:net';
import type { ListenerConfig } from '../config/listener-config.ts';

/** Connections that the system keeps until they are accepted; it may cap that (net.core.somaxconn). */
const BACKLOG = 1024;

/** Rejects where the address cannot be had. `reusePort`: others may listen there too. */
export function bindServer(
  server: Server,
  { host, port }: ListenerConfig,
  reusePort: boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG, reusePort }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
