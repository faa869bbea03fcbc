/** What Redis or the client said, in the backplane's words. */
import { BackplaneError, reasonOf } from '../backplane-error.ts';

/** Error replies that say "not now" of the server, and not "no" of the command. */
const NOT_NOW = new Set(['LOADING', 'CLUSTERDOWN', 'TRYAGAIN', 'MASTERDOWN', 'BUSY', 'UNKILLABLE']);

export function toBackplaneError(error: unknown): BackplaneError {
  if (error instanceof BackplaneError) return error;
  const reason = reasonOf(error);
  const isReply = error instanceof Error && error.name === 'ReplyError';
  const word = reason.slice(0, reason.indexOf(' '));
  const code = isReply && !NOT_NOW.has(word) ? 'refused' : 'unavailable';
  return new BackplaneError(code, reason, error);
}
