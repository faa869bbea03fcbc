/** What bounds a call in time: its timers, without a closure for each, and the errors they end in. */
import { UpstreamError } from '../transport/upstream-error.ts';

export interface TimedCall {
  /** The whole call is out of time. */
  expire(): void;
  /** The try at work is out of time; another may follow. */
  expireTry(): void;
  /** The wait before another try is over. */
  proceed(): void;
}

/** `timeoutMs` 0: none. */
export function startCallTimer(call: TimedCall, timeoutMs: number): NodeJS.Timeout | undefined {
  return timeoutMs > 0 ? setTimeout(expireCall, timeoutMs, call) : undefined;
}

/** `timeoutMs` 0: none. */
export function startTryTimer(call: TimedCall, timeoutMs: number): NodeJS.Timeout | undefined {
  return timeoutMs > 0 ? setTimeout(expireTry, timeoutMs, call) : undefined;
}

export function startWait(call: TimedCall, waitMs: number): NodeJS.Timeout {
  return setTimeout(proceed, waitMs, call);
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

function expireCall(call: TimedCall): void {
  call.expire();
}

function expireTry(call: TimedCall): void {
  call.expireTry();
}

function proceed(call: TimedCall): void {
  call.proceed();
}
