/** Why the backplane could not do what it was asked. */

/**
 * `unavailable`: no answer; what was asked may have happened or not. `away`: there is no
 * connection, or the store answers nobody now; nothing has changed. `refused`: the store said no,
 * and nothing has changed (out of memory, read-only, no permission). `closed`: after `close`.
 */
export type BackplaneErrorCode = 'unavailable' | 'away' | 'refused' | 'closed';

export class BackplaneError extends Error {
  readonly code: BackplaneErrorCode;

  constructor(code: BackplaneErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BackplaneError';
    this.code = code;
  }
}

/** For log lines: the sentence without a stack. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
