/** A Redis for a scenario, and what it says of itself. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { BenchContext } from '../bench-context.ts';
import { LOAD_CORE } from '../cores.ts';
import { findFreePorts } from '../free-port.ts';
import { detectProgram } from '../peers/presence.ts';
import type { ProcessKeeper, ServerProcess } from '../process-keeper.ts';
import { NOT_MEASURED, type ScenarioResult } from '../scenarios/scenario.ts';

const POLL_MS = 50;

export interface RunningRedis {
  readonly port: number;
  readonly pid: number;
  readonly url: string;
  /** A figure of INFO. */
  info(name: string): Promise<number>;
  /** It keeps its connections, and answers nothing any more. */
  freeze(): void;
  /** Ends it at once, frozen or not, and with it all that it held. */
  kill(): Promise<void>;
  /** Another one in its place, which knows nothing. Resolves once it answers. */
  replace(): Promise<void>;
  stop(): Promise<void>;
}

/** A scenario with a Redis of its own, which is stopped behind it; not measured on a machine that has none. */
export async function withRedis(
  context: BenchContext,
  measure: (redis: RunningRedis) => Promise<ScenarioResult>,
): Promise<ScenarioResult> {
  const command = ['redis-server', '--version'];
  const presence = await detectProgram(context.processes, command, /v=(\S+)/);
  if ('missing' in presence) {
    return { ...NOT_MEASURED, notes: ['Not measured: no redis-server.'] };
  }
  const redis = await startRedis(context);
  try {
    return await measure(redis);
  } finally {
    await redis.stop();
  }
}

async function startRedis(context: BenchContext): Promise<RunningRedis> {
  const [port] = (await findFreePorts(1)) as [number];
  const directory = join(context.directory, `redis-${port}`);
  await mkdir(directory);
  const admin = new Redis({ host: '127.0.0.1', port, lazyConnect: true });
  admin.on('error', () => undefined);
  let server = await startServer(context.processes, port, directory);
  await awaitAnswer(admin, server);
  return {
    port,
    get pid() {
      return server.pid;
    },
    url: `redis://127.0.0.1:${port}`,
    async info(name) {
      const text = await admin.info();
      return Number(new RegExp(`^${name}:(.+)$`, 'm').exec(text)?.[1]);
    },
    freeze() {
      process.kill(server.pid, 'SIGSTOP');
    },
    async kill() {
      process.kill(server.pid, 'SIGKILL');
      while ((await server.fault()) === undefined) await delay(POLL_MS);
    },
    async replace() {
      server = await startServer(context.processes, port, directory);
      await awaitAnswer(admin, server);
    },
    async stop() {
      admin.disconnect();
      await server.stop();
    },
  };
}

function startServer(
  processes: ProcessKeeper,
  port: number,
  directory: string,
): Promise<ServerProcess> {
  return processes.start(
    [
      'redis-server',
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      directory,
    ],
    join(directory, 'output.log'),
    { core: LOAD_CORE },
  );
}

async function awaitAnswer(admin: Redis, server: ServerProcess): Promise<void> {
  for (;;) {
    try {
      await admin.ping();
      return;
    } catch (error) {
      const fault = await server.fault();
      if (fault !== undefined) throw new Error(`redis-server ${fault}`, { cause: error });
      await delay(POLL_MS);
    }
  }
}
