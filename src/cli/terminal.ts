/** The terminal that a verb draws on while it runs: its size, and the wish to leave. */
import type { ReadStream, WriteStream } from 'node:tty';

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** Returns how to stop that. */
  onResize(listener: () => void): () => void;
  /**
   * Reads keys until it is told to stop: hears of q, Ctrl-C, the end of the input and signals
   * that end a program, all of which then do nothing else.
   */
  onLeave(listener: () => void): () => void;
}

const LEAVING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const CTRL_C = '\u0003';
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** Undefined where the output is no terminal. */
export function findTerminal(process: {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}): Terminal | undefined {
  const { stdout } = process;
  if (!stdout.isTTY) return undefined;
  return {
    // A terminal that was never told its size has none.
    get columns() {
      return stdout.columns || DEFAULT_COLUMNS;
    },
    get rows() {
      return stdout.rows || DEFAULT_ROWS;
    },
    onResize(listener) {
      stdout.on('resize', listener);
      return () => stdout.off('resize', listener);
    },
    onLeave(listener) {
      const onKeys = (keys: Buffer): void => {
        const text = keys.toString('latin1');
        if (text.includes('q') || text.includes(CTRL_C)) listener();
      };
      for (const signal of LEAVING_SIGNALS) process.on(signal, listener);
      // Touched only now: no other verb reads it. Input from elsewhere is not for us.
      const { stdin } = process;
      const { isTTY } = stdin;
      if (isTTY) {
        stdin.setRawMode(true);
        stdin.on('data', onKeys);
        stdin.on('end', listener);
      }
      return () => {
        for (const signal of LEAVING_SIGNALS) process.off(signal, listener);
        if (!isTTY) return;
        stdin.off('data', onKeys);
        stdin.off('end', listener);
        stdin.setRawMode(false);
        stdin.pause();
      };
    },
  };
}
