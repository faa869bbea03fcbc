/** HAProxy, one thread, with an access log and kept connections to the upstream. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROXY_CORE } from '../cores.ts';
import {
  editionPath,
  routePrefixes,
  toUrl,
  type Peer,
  type Site,
  type TokenWork,
  type Work,
} from './peer.ts';
import { detectProgram } from './presence.ts';

export const haproxy: Peer = {
  name: 'haproxy',

  detect: (processes) => detectProgram(processes, ['haproxy', '-v'], /version (\S+)/),

  async start(work, site) {
    const config = join(site.directory, 'haproxy.cfg');
    const output = join(site.directory, 'output.log');
    const configure = (wanted: Work) => writeFile(config, toConfig(wanted, site));
    await configure(work);
    const masterSocket = join(site.directory, 'master.sock');
    const master = work.edition === undefined ? [] : ['-W', '-S', masterSocket];
    const command = ['haproxy', ...master, '-db', '-f', config];
    const server = await site.processes.start(command, output, { core: PROXY_CORE });
    return {
      ...server,
      pids: [server.pid],
      url: toUrl(work, site),
      accessLog: output,
      ...(work.edition !== undefined && {
        async reload(edition: number) {
          await configure({ ...work, edition });
          await askForReload(masterSocket);
        },
      }),
    };
  },
};

/**
 * The master hands its listening sockets on to a new worker. SIGUSR2 asks for the same, but is lost
 * while the master executes itself anew, as it does at its start and after each reload, and its worker
 * answers already by then. Nobody listens at its socket meanwhile, or what is asked for there waits.
 */
async function askForReload(masterSocket: string): Promise<void> {
  for (const deadline = performance.now() + MASTER_READY_WITHIN_MS; ; await delay(POLL_MS)) {
    const socket = connect(masterSocket);
    socket.resume().end('reload\n');
    try {
      // It ends as the master executes itself.
      await once(socket, 'close');
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

function toConfig(work: Work, site: Site): string {
  const tls = work.tls ? `ssl crt ${site.certificateFile} ssl-min-ver TLSv1.3 alpn http/1.1` : '';
  return `
global
  nbthread 1
  maxconn 8192
  log stdout format raw local0
  ${work.edition === undefined ? '' : OLD_WORKERS}
defaults
  mode http
  log global
  option httplog
  option forwardfor
  http-reuse always
  ${work.edition === undefined ? '' : SPARED_CONNECTIONS}
  timeout connect 5s
  timeout client 1h
  timeout server 30s
  timeout http-keep-alive 1h
frontend public
  bind 127.0.0.1:${site.port} backlog 4096 ${tls}
  http-request set-header X-Forwarded-Proto ${work.tls ? 'https' : 'http'}
${work.tokens === undefined ? '' : toTokenRules(work.tokens)}
${toBackendRules(work).join('\n')}
backend upstream
  server upstream 127.0.0.1:${site.upstreamPort} pool-max-conn 256
backend nowhere
  http-request return status 404
`;
}

const POLL_MS = 10;
const MASTER_READY_WITHIN_MS = 10_000;
/** Those of configurations before the last end by then, whoever is still connected. */
const OLD_WORKERS = 'hard-stop-after 10s';
/** An old worker ends a connection with its next answer; without it, at once, which races with requests. */
const SPARED_CONNECTIONS = 'option idle-close-on-response';

function toBackendRules(work: Work): string[] {
  const prefixes = routePrefixes(work);
  if (prefixes.length === 0) return ['  default_backend upstream'];
  const edition =
    work.edition === undefined
      ? []
      : [`  http-request return status 204 if { path ${editionPath(work.edition)} }`];
  return [
    ...edition,
    ...prefixes.map((prefix) => `  use_backend upstream if { path_beg ${prefix} }`),
    '  default_backend nowhere',
  ];
}

/** As HAProxy's documentation of jwt_verify has it, and a sliding window per subject. */
function toTokenRules(tokens: TokenWork): string {
  return `
  stick-table type string len 64 size 100k expire 1m store http_req_rate(1m)
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
  http-request set-var(txn.aud) var(txn.bearer),jwt_payload_query('$.aud')
  http-request set-var(txn.sub) var(txn.bearer),jwt_payload_query('$.sub')
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
  http-request deny deny_status 401 unless { var(txn.iss) -m str ${tokens.issuer} }
  http-request deny deny_status 401 unless { var(txn.aud) -m str ${tokens.audience} }
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"${tokens.publicKeyFile}") 1 }
  http-request track-sc0 var(txn.sub)
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt ${tokens.limit} }`;
}
