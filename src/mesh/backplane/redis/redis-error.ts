/** What Redis or the client said, in the backplane's words. */
import { BackplaneError, reasonOf } from '../backplane-error.ts';

/** Error replies that say "not now" of the server, and not "no" of the command. */
const NOT_NOW = new Set(['LOADING', 'CLUSTERDOWN', 'TRYAGAIN', 'MASTERDOWN', 'BUSY', 'UNKILLABLE']);

/** How the client says that it has not sent a command: its offline queue is off. */
const UNSENT = /enableOfflineQueue options is false$/;

export interface AskedConnection {
  /** It was given up before it was asked. */
  readonly isGone: boolean;
  /** Why there is none, where that is known. */
  readonly reason: string | undefined;
}

export function toBackplaneError(error: unknown, asked: AskedConnection): BackplaneError {
  if (error instanceof BackplaneError) return error;
  const reason = reasonOf(error);
  if (asked.isGone || UNSENT.test(reason)) {
    return new BackplaneError('away', asked.reason ?? 'there is no connection', error);
  }
  if (!(error instanceof Error) || error.name !== 'ReplyError') {
    return new BackplaneError('unavailable', reason, error);
  }
  const word = reason.slice(0, reason.indexOf(' '));
  return new BackplaneError(NOT_NOW.has(word) ? 'away' : 'refused', reason, error);
}
