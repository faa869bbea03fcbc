/** Meshgate, mostly in one process, with metrics and a JSON access log, as it runs from the sources. */
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROXY_CORE } from '../cores.ts';
import { limitCpu } from '../cpu-quota.ts';
import { editionPath, routePrefixes, toUrl, type Peer, type Site, type Work } from './peer.ts';

const ROOT = join(import.meta.dirname, '../..');
export const MAIN = join(ROOT, 'src/main.ts');
/**
 * V8 doubles its young generation, up to 100 MiB, whenever it finds that worth while; of a fixed size
 * it is no part of what grows.
 */
export const HEAP_OPTIONS = [
  '--min-semi-space-size=16',
  '--max-semi-space-size=16',
  '--expose-gc',
  '--import',
  join(ROOT, 'load-tests/heap-probe.ts'),
];

export const meshgate: Peer = {
  name: 'meshgate',

  async detect() {
    if (!existsSync(MAIN)) return { missing: 'src/main.ts is not there' };
    const manifest: unknown = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    return { version: (manifest as { version: string }).version };
  },

  async start(work, site) {
    await writeFile(configFile(site), toMeshgateConfig(work, site));
    const server = await site.processes.start(
      [
        process.execPath,
        ...(work.heapProbe === true ? HEAP_OPTIONS : []),
        MAIN,
        'start',
        '--config',
        configFile(site),
      ],
      join(site.directory, 'output.log'),
      {
        core: (work.workers ?? 1) > 1 ? undefined : PROXY_CORE,
        cwd: site.directory,
        env: { NODE_ENV: 'production', BENCH_HEAP_SOCKET: heapSocket(site) },
      },
    );
    // Before it has children, who are in its group then.
    const quota = work.cores === undefined ? undefined : await limitCpu(server.pid, work.cores);
    const accessLog = join(site.directory, 'access.log');
    return {
      ...server,
      async stop() {
        await server.stop();
        await quota?.lift();
      },
      pids: [server.pid],
      url: toUrl(work, site),
      accessLog,
      ...(work.edition !== undefined && {
        reload: (edition: number) =>
          replaceConfig(site, toMeshgateConfig({ ...work, edition }, site)),
      }),
    };
  },
};

/** The file is watched: a whole one takes its place. */
export async function replaceConfig(
  site: Pick<Site, 'directory'>,
  document: string | Buffer,
): Promise<void> {
  const draft = `${configFile(site)}.draft`;
  await writeFile(draft, document);
  await rename(draft, configFile(site));
}

function configFile(site: Pick<Site, 'directory'>): string {
  return join(site.directory, 'meshgate.yaml');
}

/** Where one that is started with a heap probe tells of its heap. */
export function heapSocket(site: Pick<Site, 'directory'>): string {
  return join(site.directory, 'heap.sock');
}

/** The number of the configuration that is in force. */
export async function readRevision(site: Pick<Site, 'sparePort'>): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${site.sparePort}/readyz`);
  const { revision } = (await answer.json()) as { revision?: unknown };
  if (typeof revision !== 'number') throw new Error('meshgate does not tell its revision');
  return revision;
}

export function toMeshgateConfig(work: Work, site: Site): string {
  const tls = work.tls
    ? `tls: { certificates: [{ cert: ${site.certificateFile}, key: ${site.certificateFile} }], minVersion: "1.3" }`
    : '';
  return `
meshgate: 1
node: { workers: ${work.workers ?? 1} }
dataDir: ./data
listeners:
  - name: public
    address: 127.0.0.1:${site.port}
    protocol: ${work.tls ? 'https' : 'http'}
    ${tls}
    ${toLimits(work)}
status: { address: 127.0.0.1:${site.sparePort} }
telemetry: { accessLog: { format: json, path: access.log } }
services:
  upstream: { endpoints: [{ address: 127.0.0.1:${site.upstreamPort} }] }
consumers: ${JSON.stringify(work.plugins?.consumers ?? [])}
routes:
  ${toRoutes(work).join('\n  ')}
plugins: ${JSON.stringify(toPlugins(work))}
`;
}

function toLimits({ idleConnections }: Work): string {
  if (idleConnections === undefined) return '';
  // Those of the measurement itself beside them.
  return `limits: { idleTimeout: 1h, connections: ${idleConnections + 100} }`;
}

function toRoutes(work: Work): string[] {
  const prefixes = routePrefixes(work);
  const { edition, plugins } = work;
  const own = JSON.stringify(plugins?.plugins ?? []);
  return [
    ...(prefixes.length === 0 ? [`- { name: all, to: upstream, plugins: ${own} }`] : []),
    ...prefixes.map(
      (prefix, i) => `- { name: service-${i}, match: [{ path: ${prefix}* }], to: upstream }`,
    ),
    ...(edition === undefined
      ? []
      : [
          `- { name: edition, match: [{ path: ${editionPath(edition)} }], respond: { status: 204 } }`,
        ]),
  ];
}

function toPlugins({ tokens }: Work): Record<string, unknown>[] {
  if (tokens === undefined) return [];
  const { issuer, audience, jwksFile, limit } = tokens;
  return [
    { jwt: { issuer, audience, jwks: jwksFile, algorithms: ['RS256'] } },
    { 'rate-limit': { limit, window: '1m', by: { claim: 'sub' } } },
  ];
}
