/** How slowly a request body may come: on average, over the time that somebody waited for it. */
import { MeshgateError } from '../../errors.ts';

/** A connection may hang that long before its average counts. */
const GRACE_SECONDS = 10;

export function isTooSlow(
  receivedBytes: number,
  waitedSeconds: number,
  minBytesPerSecond: number,
): boolean {
  return waitedSeconds > GRACE_SECONDS && receivedBytes < minBytesPerSecond * waitedSeconds;
}

export function bodyTooSlow(): MeshgateError {
  return new MeshgateError('request_timeout', {
    status: 408,
    detail: 'The request body comes too slowly.',
  });
}
