/** The shape of a verb of the command line. */
import type { Terminal } from './terminal.ts';

/** What a verb may touch of the process it runs in. */
export interface VerbIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths of arguments are relative to it. */
  readonly cwd: string;
  /** Undefined: standard output is none. */
  readonly terminal?: Terminal | undefined;
}

export interface Verb {
  readonly name: string;
  /** One line for `meshgate --help`. */
  readonly summary: string;
  /** Arguments and options, for `meshgate <verb> --help`. */
  readonly usage: string;
  /** Resolves to the exit code: 0 done, 1 the answer is no, 2 misuse. */
  run(argv: string[], io: VerbIo): Promise<number>;
}
