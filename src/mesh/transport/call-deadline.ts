/** When a try is too late, by where it stands; pure, so that it is tested with numbers. */
import type { UpstreamFailure } from './upstream-error.ts';
import type { UpstreamRequest } from './upstream.ts';

/**
 * - `continue`: the head is sent, the body waits for 100 Continue
 * - `sending`: the client's body is awaited or being sent
 * - `blocked`: the upstream does not read the body
 * - `waiting`: the request is sent, the answer's head is not here
 * - `receiving`: the answer's body is coming
 * - `paused`: our reader does not want more of it yet
 */
export type CallPhase = 'continue' | 'sending' | 'blocked' | 'waiting' | 'receiving' | 'paused';

/** How long a body waits for 100 Continue, in milliseconds (RFC 9110 §10.1.1 wants it bounded). */
export const CONTINUE_WAIT_MS = 1000;

/**
 * The present deadline in milliseconds, Infinity for none; on the clock of the two times,
 * which are those of the last byte sent and the last heard.
 *
 * The response timeout counts from the request's last byte, or from when the upstream ceased
 * to read it: a long upload is no late answer. The idle timeout counts from the last progress
 * in either direction.
 */
export function callDeadlineMs(
  phase: CallPhase,
  request: Pick<UpstreamRequest, 'responseTimeoutMs' | 'idleTimeoutMs'>,
  sentAtMs: number,
  heardAtMs: number,
): number {
  switch (phase) {
    case 'waiting':
      return after(sentAtMs, request.responseTimeoutMs);
    case 'receiving':
    case 'sending':
      return after(Math.max(sentAtMs, heardAtMs), request.idleTimeoutMs);
    case 'blocked':
      return Math.min(
        after(sentAtMs, request.responseTimeoutMs),
        after(Math.max(sentAtMs, heardAtMs), request.idleTimeoutMs),
      );
    case 'continue':
      return Math.min(sentAtMs + CONTINUE_WAIT_MS, after(sentAtMs, request.responseTimeoutMs));
    default:
      return Infinity;
  }
}

/** Who is to blame: a client that stalls its own upload must not count against the endpoint. */
export function toLateFailure(phase: CallPhase): { failure: UpstreamFailure; message: string } {
  switch (phase) {
    case 'sending':
      return {
        failure: 'request-body',
        message: 'the next piece of the body to send was too late',
      };
    case 'receiving':
    case 'paused':
      return { failure: 'timeout', message: 'the next piece of the answer was too late' };
    case 'blocked':
      return { failure: 'timeout', message: 'the upstream did not read the request' };
    default:
      return { failure: 'timeout', message: 'the head of the answer was too late' };
  }
}

function after(startMs: number, timeoutMs: number): number {
  return timeoutMs === 0 ? Infinity : startMs + timeoutMs;
}
