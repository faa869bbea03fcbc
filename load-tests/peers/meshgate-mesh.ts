/** A mesh hop: from the outbound door of one Meshgate to the inbound door of another. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOAD_CORE, PROXY_CORE } from '../cores.ts';
import { findFreePorts } from '../free-port.ts';
import { awaitReady } from '../mesh/mesh-gateway.ts';
import type { ServerProcess } from '../process-keeper.ts';
import { MAIN, meshgate } from './meshgate.ts';
import type { Peer, Site, Work } from './peer.ts';

const SERVICE = 'upstream';

export const meshgateMesh: Peer = {
  name: 'meshgate-mesh',

  detect: (processes) => meshgate.detect(processes),

  async start(work, site) {
    const [inboundPort, inboundStatus] = (await findFreePorts(2)) as [number, number];
    const inbound = await startNode(work, site, 'inbound', inboundStatus, {
      register: [
        {
          service: SERVICE,
          address: `127.0.0.1:${site.upstreamPort}`,
          inbound: `127.0.0.1:${inboundPort}`,
        },
      ],
    });
    await awaitReady('inbound', inbound, `http://127.0.0.1:${inboundStatus}`);
    // Found by its address, so that what is measured does without a Redis.
    const outbound = await startNode(work, site, 'outbound', site.sparePort, {
      outbound: { address: `127.0.0.1:${site.port}`, services: [SERVICE] },
      services: { [SERVICE]: { endpoints: [{ address: `127.0.0.1:${inboundPort}` }] } },
    });
    const both = [inbound, outbound];
    const counted = work.counted === undefined ? both : [{ inbound, outbound }[work.counted]];
    return {
      pids: counted.map(({ pid }) => pid),
      url: `http://127.0.0.1:${site.port}`,
      host: `${SERVICE}.mesh`,
      accessLog: join(site.directory, 'access.log'),
      async fault() {
        const faults = await Promise.all(both.map((one) => one.fault()));
        return faults.find((fault) => fault !== undefined);
      },
      async stop() {
        await Promise.all(both.map((one) => one.stop()));
      },
    };
  },
};

async function startNode(
  { counted }: Work,
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
      core: counted === undefined || counted === name ? PROXY_CORE : LOAD_CORE,
      cwd: directory,
      env: { NODE_ENV: 'production' },
    },
  );
}
