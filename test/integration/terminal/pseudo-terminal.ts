/** The program on a terminal of its own, with somebody at the keys. */
import { existsSync } from 'node:fs';
import type { IPty, spawn } from '@lydell/node-pty';
import { onTestFinished } from 'vitest';
import { MAIN } from '../process/gateway-process.ts';

interface Pty {
  readonly spawn: typeof spawn;
}

/** Undefined where its binary is not made for this system. */
async function load(): Promise<Pty | undefined> {
  try {
    return await import('@lydell/node-pty');
  } catch (error) {
    if (process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch) && !isMusl()) {
      throw error;
    }
    return undefined;
  }
}

function isMusl(): boolean {
  return existsSync('/etc/alpine-release');
}

const pty = await load();

export const HAS_TERMINALS = pty !== undefined;

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export class PseudoTerminal {
  /** All that was written to it. */
  written = '';
  /** As a shell tells it: 130 for SIGINT. */
  readonly exited: Promise<number>;
  readonly #process: IPty;
  readonly #listeners = new Set<() => void>();
  #hasExited = false;

  /** A command of bash, in which `meshgate` is the program. */
  constructor(command: string, options: TerminalOptions = {}) {
    const { columns = 100, rows = 24, env = {}, cwd = '/' } = options;
    const meshgate = `meshgate() { "${process.execPath}" "${MAIN}" "$@"; }`;
    const { PATH = '' } = process.env;
    this.#process = pty!.spawn('bash', ['--norc', '-c', `${meshgate}; ${command}`], {
      cols: columns,
      rows,
      cwd,
      name: 'xterm-256color',
      env: { PATH, TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env },
    });
    this.#process.onData((text) => {
      this.written += text;
      this.#tell();
    });
    this.exited = new Promise((resolve) => {
      this.#process.onExit(({ exitCode, signal = 0 }) => {
        this.#hasExited = true;
        this.#tell();
        resolve(signal === 0 ? exitCode : 128 + signal);
      });
    });
    onTestFinished(async () => {
      if (this.#hasExited) return;
      this.#process.kill('SIGKILL');
      await this.exited;
    });
  }

  type(keys: string): void {
    this.#process.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.#process.resize(columns, rows);
  }

  /** Resolves once it was written, from `from` on; rejects where the program ends without. */
  async shows(what: RegExp, from = 0): Promise<void> {
    while (!what.test(this.written.slice(from))) {
      if (this.#hasExited) throw new Error(`ended without ${String(what)}: ${this.written}`);
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** What is left without colours and moves of the cursor. */
export function toPlain(text: string): string {
  const escape = String.fromCharCode(27);
  return text.replaceAll(new RegExp(`${escape}\\[[0-9;?]*[A-Za-z]`, 'g'), '').replaceAll('\r', '');
}
