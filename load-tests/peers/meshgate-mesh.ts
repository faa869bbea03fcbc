/** A mesh hop: from the outbound door of one Meshgate to the inbound door of another. */
import { join } from 'node:path';
import { findFreePorts } from '../free-port.ts';
import { awaitReady, startNode } from '../mesh/mesh-gateway.ts';
import type { ServerProcess } from '../process-keeper.ts';
import { meshgate } from './meshgate.ts';
import type { Peer, Site } from './peer.ts';

const SERVICE = 'upstream';

/** What an outbound door adds to a request of an application's. */
const BY_OUTBOUND = ['X-Request-Id: 4ad5ed86-1be1-4a1f-9c30-55b2a3c6ad0e', 'Via: 1.1 meshgate'];

export const meshgateMesh: Peer = {
  name: 'meshgate-mesh',

  detect: (processes) => meshgate.detect(processes),

  async start({ door }, site) {
    const [inboundPort, inboundStatus] = (await findFreePorts(2)) as [number, number];
    const doors: ServerProcess[] = [];
    if (door !== 'outbound') {
      const inbound = await startDoor(site, 'inbound', inboundStatus, {
        register: [
          {
            service: SERVICE,
            address: `127.0.0.1:${site.upstreamPort}`,
            inbound: `127.0.0.1:${inboundPort}`,
          },
        ],
      });
      await awaitReady('inbound', inbound, `http://127.0.0.1:${inboundStatus}`);
      doors.push(inbound);
    }
    if (door !== 'inbound') {
      const next = door === 'outbound' ? site.upstreamPort : inboundPort;
      // Found by its address, so that what is measured does without a Redis.
      const outbound = await startDoor(site, 'outbound', site.sparePort, {
        outbound: { address: `127.0.0.1:${site.port}`, services: [SERVICE] },
        services: { [SERVICE]: { endpoints: [{ address: `127.0.0.1:${next}` }] } },
      });
      doors.push(outbound);
    }
    return {
      pids: doors.map(({ pid }) => pid),
      url: `http://127.0.0.1:${door === 'inbound' ? inboundPort : site.port}`,
      host: `${SERVICE}.mesh`,
      ...(door === 'inbound' && { fields: BY_OUTBOUND }),
      accessLog: join(site.directory, 'access.log'),
      async fault() {
        const faults = await Promise.all(doors.map((one) => one.fault()));
        return faults.find((fault) => fault !== undefined);
      },
      async stop() {
        await Promise.all(doors.map((one) => one.stop()));
      },
    };
  },
};

function startDoor(
  site: Site,
  name: 'inbound' | 'outbound',
  statusPort: number,
  config: Readonly<Record<string, unknown>>,
): Promise<ServerProcess> {
  return startNode(site.processes, join(site.directory, name), {
    status: { address: `127.0.0.1:${statusPort}` },
    // One for both: the bench empties it.
    telemetry: { accessLog: { format: 'json', path: '../access.log' } },
    ...config,
  });
}
