/** Caddy on one core, with an access log and kept connections to the upstream. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROXY_CORE } from '../cores.ts';
import { editionPath, routePrefixes, toUrl, type Peer, type Site, type Work } from './peer.ts';
import { detectProgram } from './presence.ts';

export const caddy: Peer = {
  name: 'caddy',

  detect: (processes) => detectProgram(processes, ['caddy', 'version'], /v?(\d\S+)/),

  async start(work, site) {
    const config = join(site.directory, 'Caddyfile');
    const accessLog = join(site.directory, 'access.log');
    await writeFile(config, toConfig(work, site, accessLog));
    const server = await site.processes.start(
      ['caddy', 'run', '--adapter', 'caddyfile', '--config', config],
      join(site.directory, 'output.log'),
      {
        core: PROXY_CORE,
        env: { GOMAXPROCS: '1', HOME: site.directory, XDG_DATA_HOME: site.directory },
      },
    );
    return {
      ...server,
      pids: [server.pid],
      url: toUrl(work, site),
      accessLog,
      ...(work.edition !== undefined && {
        reload: (edition: number) => load(site, toConfig({ ...work, edition }, site, accessLog)),
      }),
    };
  },
};

/** By the admin API, which answers once it runs. */
async function load(site: Site, config: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${site.sparePort}/load`, {
    method: 'POST',
    headers: { 'content-type': 'text/caddyfile' },
    body: config,
  });
  if (!answer.ok) throw new Error(`caddy refuses to reload: ${await answer.text()}`);
}

function toConfig(work: Work, site: Site, accessLog: string): string {
  const certificate = site.certificateFile;
  const tls = work.tls ? `tls ${certificate} ${certificate} {\n    protocols tls1.3\n  }` : '';
  return `
{
  admin ${work.edition === undefined ? 'off' : `127.0.0.1:${site.sparePort}`}
  auto_https off
}
${work.tls ? 'https://localhost' : 'http://'}:${site.port} {
  bind 127.0.0.1
  ${tls}
  log {
    output file ${accessLog} {
      roll_disabled
    }
  }
  ${toHandlers(work, site).join('\n  ')}
}
`;
}

function toHandlers(work: Work, site: Site): string[] {
  const proxy = `reverse_proxy 127.0.0.1:${site.upstreamPort} {
    transport http {
      keepalive 1h
      keepalive_idle_conns_per_host 256
    }
  }`;
  const prefixes = routePrefixes(work);
  if (prefixes.length === 0) return [proxy];
  return [
    ...prefixes.map((prefix) => `handle ${prefix}* {\n  ${proxy}\n  }`),
    ...(work.edition === undefined ? [] : [`respond ${editionPath(work.edition)} 204`]),
    'respond 404',
  ];
}
