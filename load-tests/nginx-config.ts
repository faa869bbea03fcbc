/** What nginx needs to be told to run apart from the system's own. */
import { join } from 'node:path';

/** A whole configuration around the content of its `http` block. */
export function toNginxConfig(directory: string, http: string): string {
  // A worker that gave up root's rights could not enter the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(directory, name)};`)
    .join('\n  ');
  return `
${user}
daemon off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr warn;
events { worker_connections 4096; }
http {
  ${folders}
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
${http}
}
`;
}

export function nginxCommand(configFile: string, directory: string): string[] {
  return ['nginx', '-p', directory, '-c', configFile, '-e', 'stderr'];
}
