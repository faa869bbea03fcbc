/** The program's own log: JSON lines on standard error. */
import pino, { type Logger } from 'pino';

/** What is kept while standard error cannot be written, e.g. a file on a full disk. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Collectors of logs split or refuse longer ones. A quarter of what may wait, however it is encoded. */
const MAX_LINE_CHARACTERS = 64 * 1024;
/** Of a longer one; its quotes double in length at most, and then once more. */
const KEPT_CHARACTERS = 8 * 1024;

export interface ProcessLogOptions {
  /** A path, or a file descriptor. Default: standard error. */
  readonly to?: string | number;
}

/** Written at once, since the last line before an end is the one that matters most. */
export function createProcessLog({ to = 2 }: ProcessLogOptions = {}): Logger {
  const destination = pino.destination({ dest: to, sync: true, maxLength: MAX_WAITING_BYTES });
  // A log that cannot be written has nobody to tell; without a listener it would end the process.
  destination.on('error', () => undefined);
  const log = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      hooks: { streamWrite: (line) => (line.length > MAX_LINE_CHARACTERS ? toCut(line) : line) },
    },
    destination,
  );
  let dropped = 0;
  destination.on('drop', () => dropped++);
  destination.on('drain', () => {
    if (dropped === 0) return;
    log.warn({ dropped }, 'lines of this log were lost while it could not be written');
    dropped = 0;
  });
  return log;
}

/** Says that it was too long, with its beginning, and is JSON all the same. */
function toCut(line: string): string {
  const { level, time, msg } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const cut = {
    level,
    time,
    truncated: true,
    characters: line.length,
    msg: typeof msg === 'string' ? msg.slice(0, KEPT_CHARACTERS) : undefined,
    line: line.slice(0, KEPT_CHARACTERS),
  };
  return `${JSON.stringify(cut)}\n`;
}
