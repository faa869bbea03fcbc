/** The backend: nginx, which answers from memory so that the proxies are what is measured. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOAD_CORE } from './cores.ts';
import { findFreePorts } from './free-port.ts';
import { nginxCommand, toNginxConfig } from './nginx-config.ts';
import type { Work } from './peers/peer.ts';
import type { ProcessKeeper } from './process-keeper.ts';

export const BODY_BYTES: Readonly<Record<Work['body'], number>> = {
  small: 1024,
  large: 64 * 1024,
};

export interface Upstream {
  /** By the body that is answered there, whatever the path. */
  readonly ports: Readonly<Record<Work['body'], number>>;
}

/** Runs until the keeper ends all processes. */
export async function startUpstream(processes: ProcessKeeper, parent: string): Promise<Upstream> {
  const directory = join(parent, 'upstream');
  await mkdir(directory);
  const [small, large] = (await findFreePorts(2)) as [number, number];
  await writeFile(join(directory, 'large'), 'x'.repeat(BODY_BYTES.large));
  const config = join(directory, 'nginx.conf');
  await writeFile(
    config,
    toNginxConfig(
      directory,
      `
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=10;
  default_type application/octet-stream;
  server {
    listen 127.0.0.1:${small} backlog=4096;
    location / { return 200 "${'x'.repeat(BODY_BYTES.small)}"; }
  }
  server {
    listen 127.0.0.1:${large} backlog=4096;
    root ${directory};
    location / { rewrite ^ /large break; }
  }`,
    ),
  );
  await processes.start(nginxCommand(config, directory), join(directory, 'output.log'), {
    core: LOAD_CORE,
  });
  return { ports: { small, large } };
}
