/** A clock that the test sets for one process: libfaketime, where the machine has it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu', 'arm-linux-gnueabihf']
  .map((machine) => `/usr/lib/${machine}/faketime/libfaketime.so.1`)
  .concat('/usr/lib/faketime/libfaketime.so.1', '/usr/local/lib/faketime/libfaketime.so.1');

const PROGRAM = process.env['MESHGATE_TEST_REDIS_SERVER'] ?? 'redis-server';

/** Undefined where there is none, or none that this redis-server bears. */
export function findFaketime(): string | undefined {
  return LIBRARIES.find((library) => {
    if (!existsSync(library)) return false;
    const env = { ...process.env, ...toEnv(library), FAKETIME: '+0s' };
    return spawnSync(PROGRAM, ['--version'], { env, timeout: 3_000 }).status === 0;
  });
}

/** With glibc's allocator: jemalloc asks for the time before libfaketime is ready to tell it. */
function toEnv(library: string): Record<string, string> {
  return { LD_PRELOAD: `${library} libc.so.6`, FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' };
}

export interface FakeClock {
  readonly env: Readonly<Record<string, string>>;
  /** Seconds ahead of the true time; may be less than before. */
  set(aheadSeconds: number): Promise<void>;
}

export async function createFakeClock(
  library: string,
  directory: string,
  aheadSeconds: number,
): Promise<FakeClock> {
  const file = join(directory, 'faketime');
  const set = async (seconds: number): Promise<void> => {
    await writeFile(file, `${seconds < 0 ? '' : '+'}${seconds}s\n`);
    await utimes(file, new Date(), new Date());
  };
  await set(aheadSeconds);
  return {
    env: { ...toEnv(library), FAKETIME_TIMESTAMP_FILE: file },
    set,
  };
}
