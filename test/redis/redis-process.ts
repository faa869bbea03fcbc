/** A real redis-server on a free port, which can be killed, paused and brought back. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import type { ClientOptions } from '../../src/mesh/backplane/redis/client-options.ts';
import { findRedisServer } from './find-redis-server.ts';
import { freePorts } from './free-port.ts';

export interface RedisProcessOptions {
  /** Lines of the configuration file, after the port's. */
  readonly config?: readonly string[];
  readonly mode?: 'server' | 'sentinel';
  readonly env?: Readonly<Record<string, string>>;
  /** Of the fixture's own connection. */
  readonly admin?: ClientOptions;
  /** In place of a plain port. */
  readonly portLine?: (port: number) => string;
}

const READY_WITHIN_MS = 15_000;

/** A test that is cut off must not leave servers behind. */
const running = new Set<ChildProcess>();

function keepTrack(child: ChildProcess): void {
  if (running.size === 0 && process.listeners('exit').indexOf(killAll) === -1) {
    process.on('exit', killAll);
  }
  running.add(child);
  child.once('exit', () => running.delete(child));
}

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

export class RedisProcess {
  readonly port: number;
  readonly directory: string;
  readonly #options: RedisProcessOptions;
  readonly #program: string;
  #child: ChildProcess | undefined;
  #admin: Redis | undefined;

  private constructor(
    program: string,
    port: number,
    directory: string,
    options: RedisProcessOptions,
  ) {
    this.#program = program;
    this.port = port;
    this.directory = directory;
    this.#options = options;
  }

  static async start(options: RedisProcessOptions = {}, port?: number): Promise<RedisProcess> {
    const program = await findRedisServer();
    const directory = await mkdtemp(join(tmpdir(), 'meshgate-redis-'));
    const chosen = port ?? (await freePorts(1))[0]!;
    const redis = new RedisProcess(program, chosen, directory, options);
    await redis.start();
    return redis;
  }

  /** The fixture's own connection. */
  get admin(): Redis {
    this.#admin ??= new Redis({ port: this.port, host: '127.0.0.1', ...this.#options.admin });
    // While it is killed there is nothing to connect to.
    if (this.#admin.listenerCount('error') === 0) this.#admin.on('error', () => {});
    return this.#admin;
  }

  /** Also brings one back that was killed, with what it had written to its directory. */
  async start(): Promise<void> {
    const {
      config = [],
      mode = 'server',
      env = {},
      portLine = (port) => `port ${port}`,
    } = this.#options;
    const file = join(this.directory, 'redis.conf');
    if (this.#child === undefined) {
      const lines = [
        portLine(this.port),
        'bind 127.0.0.1',
        `dir ${this.directory}`,
        'save ""',
        ...config,
      ];
      await writeFile(file, `${lines.join('\n')}\n`);
    }
    const args = mode === 'sentinel' ? [file, '--sentinel'] : [file];
    const child = spawn(this.#program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    keepTrack(child);
    await ready(child, mode);
  }

  /** SIGKILL by default; resolves when the process is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Stops it where it stands, as a machine that hangs: connections stay open and nothing answers. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.#admin?.disconnect();
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function ready(child: ChildProcess, mode: 'server' | 'sentinel'): Promise<void> {
  const wanted = mode === 'sentinel' ? /Sentinel ID is|\+monitor/ : /Ready to accept connections/;
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout! });
    const fail = (what: string): void =>
      reject(new Error(`redis-server ${what}:\n${said.join('\n')}`));
    const gone = (): void => fail('ended');
    const timer = setTimeout(() => fail('does not get ready'), READY_WITHIN_MS);
    child.once('exit', gone);
    child.once('error', reject);
    lines.on('line', (line) => {
      said.push(line);
      if (!wanted.test(line)) return;
      clearTimeout(timer);
      child.removeListener('exit', gone);
      said.length = 0;
      // Goes on reading: a full pipe would stop the server.
      lines.removeAllListeners('line').on('line', () => {});
      resolve();
    });
  });
}
