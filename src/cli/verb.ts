/** The shape of a verb of the command line. */
import type { Terminal } from './terminal.ts';

/** A stream that is written to; of one that is none, a terminal's properties are missing. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** What a verb may touch of the process it runs in. */
export interface VerbIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths of arguments are relative to it. */
  readonly cwd: string;
  /** How this program is called from there; default `meshgate`. */
  readonly program?: string;
  /** Undefined: standard output is none. */
  readonly terminal?: Terminal | undefined;
  /** Asks whoever sits at the terminal; undefined: nobody does. Resolves to a line, undefined at the end of input. */
  readonly ask?: ((question: string) => Promise<string | undefined>) | undefined;
  /** Aborted once nobody reads standard output any more: a verb that would go on for ever ends. */
  readonly readerLeft?: AbortSignal | undefined;
}

/** What `parseArgs` of node:util takes, and how the value is completed. */
export interface VerbOption {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: string | boolean;
  /** What the value may be. Default: anything. */
  readonly values?: 'file' | readonly string[];
}

/** By their long names. */
export type VerbOptions = Readonly<Record<string, VerbOption>>;

export interface Verb {
  readonly name: string;
  /** One line for `meshgate --help`. */
  readonly summary: string;
  /** Arguments and options, for `meshgate <verb> --help`. */
  readonly usage: string;
  /** All that it takes; of a verb with actions, what each of them takes stands there. */
  readonly options: VerbOptions;
  /** What its arguments may be. Default: anything. */
  readonly takes?: 'file' | readonly string[];
  /** Its first argument says which, and each has options of its own. */
  readonly actions?: Readonly<Record<string, VerbOptions>>;
  /** Resolves to the exit code: 0 done, 1 the answer is no, 2 misuse. */
  run(argv: string[], io: VerbIo): Promise<number>;
}
