/** A process of the demo, which can be killed and started again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface ChildOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** A text on its standard output by which it tells that it is up. */
  readonly upBy: string;
  readonly cwd: string;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves once it is up; rejects with its last words where it ends instead. */
  start(): Promise<void>;
  /** Resolves when it is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const LAST_WORDS = 2000;

export function createChild({ name, command, upBy, cwd }: ChildOptions): Child {
  let running: ChildProcess | undefined;
  return {
    name,
    get pid() {
      return running?.pid ?? 0;
    },
    start() {
      const [file, ...args] = command;
      const child = spawn(file!, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
      running = child;
      let said = '';
      return new Promise((resolve, reject) => {
        const hear = (text: Buffer): void => {
          said = (said + text.toString()).slice(-LAST_WORDS);
          if (said.includes(upBy)) resolve();
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        child.once('error', reject);
        child.once('exit', (code, signal) => {
          reject(new Error(`${name} ended with ${code ?? signal}: ${said}`));
        });
      });
    },
    async end(signal) {
      const child = running;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}
