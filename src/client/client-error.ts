/** What an application of the mesh gets to see where it asked for something that cannot be. */

/**
 * - `invalid_option`: an option is not what it may be; `field` names it.
 * - `not_ready`: the mesh could not be reached in time; the message says what is missing.
 * - `superseded`: another instance has registered with the same id.
 * - `closed`: `close()` was called.
 */
export type MeshClientErrorCode = 'invalid_option' | 'not_ready' | 'superseded' | 'closed';

/** An error of the client itself; how calls fail is told at `Mesh.dispatcher`. */
export class MeshClientError extends Error {
  readonly code: MeshClientErrorCode;
  /** Of `invalid_option`: the option, such as `services.orders.retry.attempts`. */
  readonly field: string | undefined;

  constructor(code: MeshClientErrorCode, message: string, options: { field?: string } = {}) {
    super(message);
    this.name = 'MeshClientError';
    this.code = code;
    this.field = options.field;
  }
}

/** Names the field, and never repeats what stands in it: that may be a password. */
export function invalidOption(field: string, problem: string): MeshClientError {
  return new MeshClientError('invalid_option', `${field} ${problem}`, { field });
}

export function meshClosed(): MeshClientError {
  return new MeshClientError('closed', 'the mesh is closed');
}
