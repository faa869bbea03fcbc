/** What bounds a call in time: its timers, without a closure for each, and the errors they end in. */
import { UpstreamError } from '../transport/upstream-error.ts';

/** A whole call, or one of its tries. */
export interface Timed {
  /** It is out of time. */
  expire(): void;
}

/** Waits before the next try. */
export interface Waiting {
  /** The wait is over. */
  proceed(): void;
}

/** `timeoutMs` 0: none. */
export function startTimeout(timed: Timed, timeoutMs: number): NodeJS.Timeout | undefined {
  return timeoutMs > 0 ? setTimeout(expire, timeoutMs, timed) : undefined;
}

export function startWait(waiting: Waiting, waitMs: number): NodeJS.Timeout {
  return setTimeout(proceed, waitMs, waiting);
}

export function callTookTooLong(answered: boolean): UpstreamError {
  const facts = { sent: true, answered, reused: false };
  return new UpstreamError('timeout', 'the call took longer than the route allows', facts);
}

/** A try that was never on a connection is as one that found none: nothing of it can have been done. */
export function tryTookTooLong(sent: boolean, answered: boolean): UpstreamError {
  const facts = { sent, answered, reused: false };
  return sent
    ? new UpstreamError('timeout', 'the try took longer than perTryTimeout', facts)
    : new UpstreamError('connect-timeout', 'no connection within perTryTimeout', facts);
}

function expire(timed: Timed): void {
  timed.expire();
}

function proceed(waiting: Waiting): void {
  waiting.proceed();
}
