/** Writes lines in batches, off the request path; where they cannot be written they are dropped and counted. */
import pino from 'pino';

export interface LineWriter {
  write(line: string): void;
  /** Lines given up: the disk is full, or the reader is slower than the traffic. */
  readonly dropped: number;
  /** Writes what is left and closes. */
  close(): Promise<void>;
}

const BATCH_BYTES = 8 * 1024;
const FLUSH_INTERVAL_MS = 500;
/** What may wait for a slow disk or pipe; more is dropped, as memory must not pay for the log. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** `path` undefined: standard output. `onFailure` hears of the first failure of a row. */
export function createLineWriter(
  path: string | undefined,
  onFailure: (error: Error) => void,
): LineWriter {
  const destination = pino.destination({
    dest: path ?? 1,
    mkdir: true,
    sync: false,
    minLength: BATCH_BYTES,
    maxLength: MAX_WAITING_BYTES,
    retryEAGAIN: () => true,
    // Without a callback, unlike flush() with one: a log is not worth an fsync.
    periodicFlush: FLUSH_INTERVAL_MS,
  });
  let dropped = 0;
  let failing = false;
  destination.on('drop', () => dropped++);
  destination.on('write', () => (failing = false));
  destination.on('error', (error: Error) => {
    if (!failing) onFailure(error);
    failing = true;
  });
  return {
    write: (line) => void destination.write(line),
    get dropped() {
      return dropped;
    },
    close: () =>
      new Promise((resolve) => {
        destination.once('close', () => resolve());
        destination.once('error', () => resolve());
        destination.end();
      }),
  };
}
