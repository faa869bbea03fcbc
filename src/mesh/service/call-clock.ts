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

/** The timers of one call. */
export class CallTimers {
  #call: NodeJS.Timeout | undefined;
  #try: NodeJS.Timeout | undefined;
  #wait: NodeJS.Timeout | undefined;

  /** `timeoutMs` 0: none; so for a try. */
  startCall(call: TimedCall, timeoutMs: number): void {
    if (timeoutMs > 0) this.#call = setTimeout(expireCall, timeoutMs, call);
  }

  startTry(call: TimedCall, timeoutMs: number): void {
    if (timeoutMs > 0) this.#try = setTimeout(expireTry, timeoutMs, call);
  }

  startWait(call: TimedCall, waitMs: number): void {
    this.#wait = setTimeout(proceed, waitMs, call);
  }

  clearTry(): void {
    clearTimeout(this.#try);
  }

  clear(): void {
    clearTimeout(this.#call);
    clearTimeout(this.#try);
    clearTimeout(this.#wait);
  }
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
