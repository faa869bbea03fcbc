/** What a node that could not be asked is told as: who it is, and what may have happened. */
import { AdminError } from '../problem.ts';

/** In milliseconds: a node is near, or it is not there. */
export const CONNECT_TIMEOUT_MS = 2_000;
/** To the head of the answer, and between its parts. */
export const ANSWER_TIMEOUT_MS = 5_000;

/** The causes that @fastify/reply-from wraps, innermost last. */
const MAX_DEPTH = 5;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  EHOSTUNREACH: 'there is no way to its machine',
  ENETUNREACH: 'there is no way to its network',
  ENOTFOUND: 'its host name is not known here',
};

/** No connection came about within its time; the next one would not either, for a while. */
export function isConnectTimeout(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT';
}

export function toForwardingFailure(error: unknown, node: string, isReading: boolean): AdminError {
  const code = codeOf(error);
  if (isConnectTimeout(error)) return notThere(node);
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return new AdminError(
      504,
      'node_timeout',
      `The node "${node}" gave no answer within ${ANSWER_TIMEOUT_MS / 1000} s${afterwards(isReading)}.`,
    );
  }
  const reason = REASONS[code];
  return new AdminError(
    503,
    'node_unavailable',
    reason === undefined
      ? `The node "${node}" broke off without an answer${afterwards(isReading)}.`
      : `The node "${node}" cannot be reached: ${reason} (${code}).`,
  );
}

export function notThere(node: string): AdminError {
  return new AdminError(
    504,
    'node_timeout',
    `The node "${node}" cannot be reached: no connection within ${CONNECT_TIMEOUT_MS / 1000} s.`,
  );
}

function afterwards(isReading: boolean): string {
  return isReading ? '' : '; what was asked for may have been done or not';
}

function codeOf(error: unknown): string {
  let code = '';
  for (let at = error, depth = 0; at instanceof Error && depth < MAX_DEPTH; depth++) {
    const own = (at as NodeJS.ErrnoException).code;
    // The wrapping ones begin with FST.
    if (own !== undefined && !own.startsWith('FST_')) code = own;
    at = at.cause;
  }
  return code;
}
