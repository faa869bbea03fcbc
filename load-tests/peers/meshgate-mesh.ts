/** A mesh hop: from the outbound door of one Meshgate to the inbound door of another. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROXY_CORE } from '../cores.ts';
import { findFreePorts } from '../free-port.ts';
import { awaitReady } from '../mesh/mesh-gateway.ts';
import type { ServerProcess } from '../process-keeper.ts';
import { MAIN, meshgate } from './meshgate.ts';
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
      const inbound = await startNode(site, 'inbound', inboundStatus, {
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
      const outbound = await startNode(site, 'outbound', site.sparePort, {
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

async function startNode(
  site: Site,
  name: 'inbound' | 'outbound',
  statusPort: number,
  config: Readonly<Record<string, unknown>>,
): Promise<ServerProcess> {
  const directory = join(site.directory, name);
  await mkdir(directory);
  const file = join(directory, 'meshgate.yaml');
  const document = {
    meshgate: 1,
    dataDir: './data',
    status: { address: `127.0.0.1:${statusPort}` },
    // One for both: the bench empties it.
    telemetry: { accessLog: { format: 'json', path: '../access.log' } },
    ...config,
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(document));
  return site.processes.start(
    [process.execPath, MAIN, 'start', '--config', file],
    join(directory, 'output.log'),
    {
      core: PROXY_CORE,
      cwd: directory,
      env: { NODE_ENV: 'production' },
    },
  );
}
