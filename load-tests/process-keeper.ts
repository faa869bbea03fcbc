/** Starts processes on a given core, and ends every one of them, whatever happens. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

export interface StartOptions {
  /** Number of the one core that it may use; undefined: any. */
  readonly core: number | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface ServerProcess {
  readonly pid: number;
  /** Undefined while it runs; else why and with which last words it ended. */
  fault(): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** Of util-linux: starts a command that keeps to the given cores. */
const BINDER = 'taskset';
const GRACE_MS = 5000;
/** Debian keeps servers where the PATH of ordinary users does not look. */
const SERVER_FOLDERS = ':/usr/local/sbin:/usr/sbin';

export class ProcessKeeper {
  readonly #running = new Set<ChildProcess>();
  #closed = false;

  /** A server, whose output goes to a file. */
  async start(
    command: readonly string[],
    logPath: string,
    options: StartOptions,
  ): Promise<ServerProcess> {
    const log = await open(logPath, 'a');
    const child = this.#spawn(command, options, ['ignore', log.fd, log.fd]);
    try {
      await started(child, command);
    } finally {
      await log.close();
    }
    return {
      pid: child.pid!,
      fault: async () => {
        if (child.exitCode === null && child.signalCode === null) return undefined;
        const output = await readFile(logPath, 'utf8');
        return `ended with ${child.exitCode ?? child.signalCode}: ${output.slice(-2000)}`;
      },
      stop: () => this.#stop(child),
    };
  }

  /** A command, to its end. Rejects where it fails. */
  async run(command: readonly string[], options: StartOptions): Promise<string> {
    const child = this.#spawn(command, options, ['ignore', 'pipe', 'pipe']);
    const outputs = Promise.all([text(child.stdout!), text(child.stderr!)]);
    await started(child, command);
    const [stdout, stderr] = await outputs;
    await ended(child);
    if (child.exitCode === 0) return stdout;
    const end = child.exitCode ?? child.signalCode;
    throw new Error(`${command[0]} ended with ${end}: ${(stderr || stdout).slice(-2000)}`);
  }

  /** Nothing can be started from then on: what is under way must not outlive its end. */
  async stopAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((child) => this.#stop(child)));
  }

  #spawn(
    command: readonly string[],
    { core, env, cwd }: StartOptions,
    stdio: ('ignore' | 'pipe' | number)[],
  ): ChildProcess {
    if (this.#closed) throw new Error(`${command[0]} is not started: the bench is ending`);
    const cores = core === undefined ? `0-${cpus().length - 1}` : String(core);
    const child = spawn(BINDER, ['-c', cores, ...command], {
      stdio,
      cwd,
      // A group of its own, so that workers go with their master.
      detached: true,
      env: { ...process.env, PATH: `${process.env['PATH']}${SERVER_FOLDERS}`, ...env },
    });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return child;
  }

  async #stop(child: ChildProcess): Promise<void> {
    if (child.pid === undefined) return;
    const exited = ended(child);
    signalGroup(child.pid, 'SIGTERM');
    await Promise.race([exited, delay(GRACE_MS, undefined, { ref: false })]);
    // Also where the master is gone: a worker may have stayed.
    signalGroup(child.pid, 'SIGKILL');
    await exited;
  }
}

async function started(child: ChildProcess, command: readonly string[]): Promise<void> {
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new Error(`${BINDER} cannot be started, and with it ${command[0]}`, { cause: error });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // Nobody of the group is left.
  }
}
