/** What goes wrong with the admin API, worded for whoever runs the verb. */

/** Could not be done; the message says why and what helps. */
export class AdminFailure extends Error {
  /** Asking again would not help. */
  readonly isFinal: boolean;
  /** Of the API's answer; undefined where there was none. */
  readonly status: number | undefined;
  readonly faults: readonly AdminFault[];

  constructor(
    message: string,
    {
      isFinal = true,
      status,
      faults = [],
    }: { isFinal?: boolean; status?: number; faults?: readonly AdminFault[] } = {},
  ) {
    super(message);
    this.name = 'AdminFailure';
    this.isFinal = isFinal;
    this.status = status;
    this.faults = faults;
  }
}

/** One thing that is wrong with a request. */
export interface AdminFault {
  readonly detail: string;
  /** JSON pointer as a fragment, into the body or into `resource`. */
  readonly pointer?: string;
  /** Left out: the value. */
  readonly at?: 'key';
  readonly parameter?: string;
  readonly resource?: string;
  readonly hint?: string;
}

/** `#/routes/0/to: there is no such service (did you mean "orders"?)` */
export function toFaultText(fault: AdminFault): string {
  const { detail, pointer, parameter, resource, hint } = fault;
  const place = [resource, pointer ?? parameter].filter((part) => part !== undefined).join(' ');
  return `${place === '' ? '' : `${place}: `}${detail}${hint === undefined ? '' : ` (${hint})`}`;
}

export function unreachable(address: string, error: unknown, timeoutMs: number): AdminFailure {
  const cause = (error as { cause?: NodeJS.ErrnoException }).cause;
  const isLate = (error as Error).name === 'TimeoutError';
  const reason = isLate
    ? `no answer within ${timeoutMs / 1000} s`
    : (cause?.code ?? cause?.message ?? (error as Error).message);
  return new AdminFailure(
    `no admin API can be reached at ${address} (${reason}).
Is a node running there? Another address is named in MESHGATE_ADMIN, such as http://127.0.0.1:8001.`,
    { isFinal: false },
  );
}

const OWN_TOKEN =
  'its own is in admin-token in the data directory of the node; put that into MESHGATE_TOKEN';

interface Refusal {
  readonly code?: unknown;
  readonly detail?: unknown;
  readonly errors?: readonly AdminFault[];
}

/** Of an answer that is not what was asked for. */
export function refused(address: string, status: number, body: unknown): AdminFailure {
  const { code, detail, errors: faults = [] } = (body ?? {}) as Refusal;
  if (typeof detail !== 'string') {
    return new AdminFailure(
      `what answers at ${address} is no admin API (status ${status}); name its address in MESHGATE_ADMIN`,
    );
  }
  if (status === 401 && code !== 'local_token') {
    return new AdminFailure(
      code === 'token_expired'
        ? `the token has expired; ${OWN_TOKEN}.`
        : `the node that answers at ${address} does not know the token; it tells no stranger which node it is.
If it is the one that was meant: ${OWN_TOKEN}.
Else name the address of the right one in MESHGATE_ADMIN (its start prints "admin on http://..."), or its
configuration file in MESHGATE_CONFIG.`,
      { status },
    );
  }
  const lines = faults.map((fault) => `\n${toFaultText(fault)}`);
  // Who came too often may come later.
  const isFinal = status < 500 && status !== 429;
  return new AdminFailure(`${detail}${lines.join('')}`, { isFinal, status, faults });
}
