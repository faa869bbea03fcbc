/** What the verbs need of the program that they start or ask; built by the composition root. */
import type { Config } from '../gateway/config/config.ts';
import type { ListenerFacts } from '../gateway/exchange/connection.ts';
import type { Explanation } from '../gateway/explain/explain.ts';
import type { ExplainQuestion } from '../gateway/explain/question.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';

export interface AppOptions {
  /** As named by the user. */
  readonly configFile: string;
  /**
   * The configuration itself: the file is only what it is called and where relative paths start,
   * and no file is watched.
   */
  readonly document?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

export interface Started {
  readonly listeners: readonly ListenerFacts[];
  readonly statusPort: number;
  /** Undefined: the admin API is closed, which the log tells. */
  readonly adminPort: number | undefined;
}

export interface App {
  /** As it was when the app was made. */
  readonly config: Config;
  /** Opens the doors. Rejects, with none of them open, where one cannot be had. */
  start(): Promise<Started>;
  /** Reads the configuration again and opens log files anew; nothing while it starts or stops. */
  reload(): void;
  /** Replaces the workers one after the other, by the program as it is on disk; says so where there are none. */
  roll(): void;
  /** Drains and lets go of everything. */
  stop(): Promise<void>;
  /**
   * Logs and counts a rejection that nobody handled, such as of a promise that a plugin leaked.
   * For whoever owns the process: `process.on('unhandledRejection', …)`.
   */
  rejectionUnhandled(reason: unknown): void;
  /** Walks the request path without opening a door or sending anything upstream. */
  explain(question: ExplainQuestion): Promise<Explanation>;
}

export type CreateApp = (options: AppOptions) => Promise<App>;
