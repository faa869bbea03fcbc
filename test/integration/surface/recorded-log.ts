/** A log that a test reads. */
import type { Log } from '../../../src/plugins/sdk/plugin-context.ts';

export interface LogEntry {
  readonly level: keyof Log;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface RecordedLog extends Log {
  readonly entries: LogEntry[];
  /** Resolves with the first entry of that message, once there is one. */
  entry(message: RegExp): Promise<LogEntry>;
}

export function createRecordedLog(): RecordedLog {
  const entries: LogEntry[] = [];
  const waiting: (() => void)[] = [];
  const writer =
    (level: keyof Log) =>
    (fields: object, message: string): void => {
      entries.push({ level, fields: fields as LogEntry['fields'], message });
      for (const wake of waiting.splice(0)) wake();
    };
  return {
    entries,
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    async entry(message) {
      for (;;) {
        const found = entries.find((entry) => message.test(entry.message));
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}
