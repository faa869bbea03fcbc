/** nginx, one worker, with an access log and kept connections to the upstream. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROXY_CORE } from '../cores.ts';
import { nginxCommand, toNginxConfig } from '../nginx-config.ts';
import { editionPath, routePrefixes, toUrl, type Peer, type Site, type Work } from './peer.ts';
import { detectProgram } from './presence.ts';

export const nginx: Peer = {
  name: 'nginx',

  detect: (processes) => detectProgram(processes, ['nginx', '-v'], /nginx\/(\S+)/),

  async start(work, site) {
    const config = join(site.directory, 'nginx.conf');
    const accessLog = join(site.directory, 'access.log');
    const configure = (wanted: Work) =>
      writeFile(config, toNginxConfig(site.directory, toHttp(wanted, site, accessLog)));
    const command = nginxCommand(config, site.directory);
    await configure(work);
    const server = await site.processes.start(command, join(site.directory, 'output.log'), {
      core: PROXY_CORE,
    });
    return {
      ...server,
      pids: [server.pid],
      url: toUrl(work, site),
      accessLog,
      ...(work.edition !== undefined && {
        async reload(edition: number) {
          await configure({ ...work, edition });
          await site.processes.run([...command, '-s', 'reload'], { core: PROXY_CORE });
        },
      }),
    };
  },
};

function toHttp(work: Work, site: Site, accessLog: string): string {
  const tls = work.tls
    ? `ssl_certificate ${site.certificateFile};
    ssl_certificate_key ${site.certificateFile};
    ssl_protocols TLSv1.3;`
    : '';
  const { format, fields } = work.tells === true ? TELLING : { format: '', fields: '' };
  // Buffered, as the others' logs are; without it each line is a system call of its own.
  return `
  ${format}
  access_log ${accessLog} ${format === '' ? 'combined' : 'telling'} buffer=64k flush=1s;
  upstream backend {
    server 127.0.0.1:${site.upstreamPort};
    keepalive 64;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }
  server {
    listen 127.0.0.1:${site.port} ${work.tls ? 'ssl' : ''} backlog=4096;
    ${tls}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    ${fields}
    proxy_buffers 16 8k;
    proxy_max_temp_file_size 0;
    ${toLocations(work).join('\n    ')}
  }`;
}

/** See `Work.tells`. */
const TELLING = {
  format: `log_format telling escape=json '{"time":"$time_iso8601","request_id":"$request_id",'
    '"listener":"public","protocol":"$server_protocol","client_ip":"$remote_addr",'
    '"method":"$request_method","host":"$host","path":"$uri","status":$status,'
    '"duration_s":$request_time,"bytes_in":$request_length,"bytes_out":$body_bytes_sent,'
    '"route":"all","service":"upstream","endpoint":"$upstream_addr",'
    '"upstream_s":"$upstream_response_time"}';`,
  fields: `proxy_set_header X-Forwarded-Host $host;
    proxy_set_header X-Forwarded-Port $server_port;
    proxy_set_header Via "1.1 nginx";
    proxy_set_header X-Request-Id $request_id;
    add_header X-Request-Id $request_id always;`,
};

function toLocations(work: Work): string[] {
  const prefixes = routePrefixes(work);
  const locations =
    prefixes.length === 0
      ? ['location / { proxy_pass http://backend; }']
      : [
          ...prefixes.map((prefix) => `location ${prefix} { proxy_pass http://backend; }`),
          'location / { return 404; }',
        ];
  return work.edition === undefined
    ? locations
    : [...locations, `location = ${editionPath(work.edition)} { return 204; }`];
}
