/** The program's own log: JSON lines on standard error. */
import pino, { type Logger } from 'pino';

/** What is kept while standard error cannot be written, e.g. a file on a full disk. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Written at once, since the last line before an end is the one that matters most. */
export function createProcessLog(): Logger {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: MAX_WAITING_BYTES });
  // A log that cannot be written has nobody to tell; without a listener it would end the process.
  destination.on('error', () => undefined);
  return pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
