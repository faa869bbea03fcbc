/** The `redis-server` that tests run: the machine's, or installed where that is possible. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

const MIN_MAJOR = 7;
const CANDIDATES = ['redis-server', 'valkey-server'];

/** `MESHGATE_TEST_REDIS_SERVER` names another program. */
export async function findRedisServer(): Promise<string> {
  const named = process.env['MESHGATE_TEST_REDIS_SERVER'];
  if (named !== undefined) return named;
  const found = (await firstUsable()) ?? (await install().then(firstUsable));
  if (found !== undefined) return found;
  throw new Error(
    `no redis-server of version ${MIN_MAJOR} or later: install one (Debian: apt-get install redis-server) ` +
      'or name one in MESHGATE_TEST_REDIS_SERVER',
  );
}

async function firstUsable(): Promise<string | undefined> {
  for (const program of CANDIDATES) {
    const version = await run(program, ['--version']).then(
      ({ stdout }) => /v=(\d+)/.exec(stdout)?.[1],
      () => undefined,
    );
    if (version !== undefined && Number(version) >= MIN_MAJOR) return program;
  }
  return undefined;
}

/** Debian, as root; waits for another installation that is under way. */
async function install(): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const lock = ['-o', 'DPkg::Lock::Timeout=120'];
  try {
    await run('apt-get', [...lock, 'update', '-qq'], { env });
    await run(
      'apt-get',
      [...lock, 'install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
      { env },
    );
  } catch (error) {
    console.warn('apt-get could not install redis-server:', error);
  }
}
