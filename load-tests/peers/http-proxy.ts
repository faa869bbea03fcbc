/** Plain @fastify/http-proxy, without any log. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROXY_CORE } from '../cores.ts';
import { toUrl, type Peer } from './peer.ts';

const SERVER = join(import.meta.dirname, 'http-proxy-server.ts');

export const httpProxy: Peer = {
  name: 'http-proxy',

  async detect() {
    try {
      const entry = fileURLToPath(import.meta.resolve('@fastify/http-proxy'));
      const manifest: unknown = JSON.parse(
        await readFile(join(entry, '..', 'package.json'), 'utf8'),
      );
      return { version: (manifest as { version: string }).version };
    } catch {
      return { missing: '@fastify/http-proxy is not installed' };
    }
  },

  async start(work, site) {
    const tls = work.tls ? [site.certificateFile] : [];
    const server = await site.processes.start(
      [process.execPath, SERVER, String(site.port), String(site.upstreamPort), ...tls],
      join(site.directory, 'output.log'),
      { core: PROXY_CORE, env: { NODE_ENV: 'production' } },
    );
    return { ...server, pids: [server.pid], url: toUrl(work, site), accessLog: undefined };
  },
};
