/** A gateway in a process of its own, started and told to stop as a user would. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { LANE_OPTIONS } from '../../full-lane/tested-lane.ts';
import { bundleProgram } from './program-bundle.ts';

export const CHECKOUT = resolve(import.meta.dirname, '../../..');
const SOURCES = join(CHECKOUT, 'src/main.ts');
export const MAIN = await bundleProgram(CHECKOUT);
/** Halves what a start takes, and these tests start often. */
const COMPILE_CACHE = join(CHECKOUT, 'node_modules/.cache/compile');

/** So started, a gateway sheds no load for being late, as it does on a machine that others keep busy. */
export const UNHURRIED = {
  NODE_OPTIONS: `--import=${join(import.meta.dirname, 'unhurried-loop.ts')}`,
};

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Hears how to end what was started. */
export type OnEnd = (end: () => void | Promise<void>) => void;

export interface RunOptions {
  /** Default: the program's entry. */
  readonly command?: readonly string[];
  /** A module that is loaded first; the program then runs from its sources, which the two share. */
  readonly preload?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdio?: StdioOptions;
  /** It starts others, and signals go to all of them, as a terminal's do. Default false. */
  readonly group?: boolean;
  /** For what several tests share. Default: it ends when the test has finished. */
  readonly onEnd?: OnEnd;
}

/** A process and what it has said so far; killed in the end. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Exit>;
  stdout = '';
  stderr = '';
  #exit: Exit | undefined;
  readonly #group: boolean;
  #listeners = new Set<() => void>();

  constructor(args: readonly string[], options: RunOptions = {}) {
    const { command, preload, env } = options;
    const [file, ...rest] = command ?? [
      process.execPath,
      ...(preload === undefined ? [MAIN] : ['--import', preload, SOURCES]),
    ];
    // The bundle has the lane under test in it.
    const lane = command === undefined && preload === undefined ? '' : LANE_OPTIONS;
    this.child = spawn(file!, [...rest, ...args], {
      cwd: options.cwd ?? CHECKOUT,
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        ...env,
        NODE_OPTIONS: [lane, env?.['NODE_OPTIONS']].filter(Boolean).join(' '),
      },
      stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
      detached: options.group === true,
    });
    this.#group = options.group === true;
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#changed();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#changed();
    });
    // 'close' and not 'exit': all of the output has come.
    this.ended = new Promise((done, failed) => {
      this.child.once('error', failed);
      this.child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        this.#changed();
        done(this.#exit);
      });
    });
    (options.onEnd ?? onTestFinished)(() => this.kill());
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  signal(name: NodeJS.Signals): void {
    const { pid } = this.child;
    if (pid === undefined || !this.running) return;
    try {
      process.kill(this.#group ? -pid : pid, name);
    } catch (error) {
      // It has ended, and its output has not all come yet.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** As a crash of the machine would end it. */
  async kill(): Promise<void> {
    if (!this.running || this.child.pid === undefined) return;
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Resolves with the match once the output has it; rejects where the program ends without. */
  said(stream: 'stdout' | 'stderr', what: RegExp): Promise<RegExpExecArray> {
    return new Promise((found, failed) => {
      const look = (): void => {
        const match = what.exec(this[stream]);
        if (match === null && this.running) return;
        this.#listeners.delete(look);
        if (match !== null) found(match);
        else failed(new Error(`ended without ${what}: ${this.stdout}${this.stderr}`));
      };
      this.#listeners.add(look);
      look();
    });
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Runs one verb to its end. */
export async function runMeshgate(
  args: readonly string[],
  options?: RunOptions,
): Promise<Exit & { readonly stdout: string; readonly stderr: string }> {
  const program = new Program(args, options);
  const exit = await program.ended;
  return { ...exit, stdout: program.stdout, stderr: program.stderr };
}

export interface ReadyReport {
  readonly status: string;
  readonly revision: number;
  readonly last_reload: { readonly successful: boolean; readonly errors: readonly string[] };
}

/** A program that serves. */
export class GatewayProcess {
  readonly program: Program;
  readonly statusPort: number;
  readonly #ports: ReadonlyMap<string, number>;

  constructor(program: Program, ports: ReadonlyMap<string, number>, statusPort: number) {
    this.program = program;
    this.#ports = ports;
    this.statusPort = statusPort;
  }

  portOf(listener: string): number {
    return this.#ports.get(listener) ?? 0;
  }

  /** Of the listener `http`. */
  get url(): string {
    return `http://127.0.0.1:${this.portOf('http')}`;
  }

  async readiness(): Promise<{ readonly code: number; readonly report: ReadyReport }> {
    const response = await fetch(`http://127.0.0.1:${this.statusPort}/readyz`);
    return { code: response.status, report: (await response.json()) as ReadyReport };
  }

  /** The value of a metric that has no labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.statusPort}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    if (line === undefined) throw new Error(`no metric ${name}`);
    return Number(line.slice(name.length + 1));
  }

  /** Resolves once the last attempt to apply a configuration is what `is` says. */
  async reloaded(is: (report: ReadyReport) => boolean): Promise<ReadyReport> {
    return eventually(async () => {
      const { report } = await this.readiness();
      return is(report) ? report : undefined;
    });
  }
}

/** Resolves when it has said where it listens. */
export async function startMeshgate(
  configFile: string,
  options?: RunOptions,
): Promise<GatewayProcess> {
  return untilServing(new Program(['start', '--config', configFile], options));
}

export async function untilServing(program: Program): Promise<GatewayProcess> {
  const [, statusPort] = await program.said('stdout', /status on http:\/\/\S+?:([0-9]+)\//);
  const ports = new Map(
    Array.from(
      program.stdout.matchAll(/^meshgate: (\S+) listens on \S+:([0-9]+)$/gm),
      ([, name, port]) => [name!, Number(port)] as const,
    ),
  );
  return new GatewayProcess(program, ports, Number(statusPort));
}

/** Gone when the test has finished. */
export async function createFolder(onEnd: OnEnd = onTestFinished): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'meshgate-process-'));
  onEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A configuration of free ports for one service, which `config` adds to. */
export function toConfig(upstreamPort: number, config: Record<string, unknown> = {}): object {
  return {
    meshgate: 1,
    listeners: [{ name: 'http', address: '127.0.0.1:0', protocol: 'http' }],
    status: { address: '127.0.0.1:0' },
    admin: { address: '127.0.0.1:0' },
    telemetry: { accessLog: false },
    services: { app: { endpoints: [{ address: `127.0.0.1:${upstreamPort}` }] } },
    routes: [{ name: 'app', match: [{ path: '/*' }], to: 'app' }],
    ...config,
  };
}

/** Writes it as YAML, which JSON is; returns the file's path. */
export async function writeConfig(folder: string, config: object): Promise<string> {
  const file = join(folder, 'meshgate.yaml');
  await writeFile(file, JSON.stringify(config, undefined, 2));
  return file;
}

/** Looks again every `everyMs` until there is something; the test's own timeout ends a wait in vain. */
export async function eventually<T>(look: () => Promise<T | undefined>, everyMs = 20): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((next) => setTimeout(next, everyMs));
  }
}
