/** What a hook returns to answer an exchange itself instead of letting it go on. */

/** A complete answer made by the gateway or a plugin. */
export interface Answer {
  readonly status: number;
  /** Flat field lines `[name, value, …]`, without Content-Length. */
  readonly headers: readonly string[];
  readonly body: string | Uint8Array | undefined;
}

export interface AnswerOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/**
 * An answer in full.
 *
 * @example
 * return answer(302, { headers: { location: '/login' } });
 */
export function answer(status: number, options: AnswerOptions = {}): Answer {
  return { status, headers: Object.entries(options.headers ?? {}).flat(), body: options.body };
}

export interface ProblemOptions {
  /** One sentence for the caller. Default: none. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A refusal. The gateway renders it as `application/problem+json` (RFC 9457), or as a
 * grpc-status for a gRPC caller, so a plugin need not know who is asking.
 */
export class Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string | undefined;
  readonly headers: readonly string[];

  constructor(status: number, code: string, options: ProblemOptions = {}) {
    this.status = status;
    this.code = code;
    this.detail = options.detail;
    this.headers = Object.entries(options.headers ?? {}).flat();
  }
}

/**
 * Refuses the request with a status (400–599) and a stable `snake_case` code.
 *
 * @example
 * return problem(400, 'tenant_missing', { detail: 'Send the tenant in x-tenant.' });
 */
export function problem(status: number, code: string, options?: ProblemOptions): Problem {
  return new Problem(status, code, options);
}
