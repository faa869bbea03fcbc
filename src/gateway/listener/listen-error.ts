/** Why a listener could not be opened, worded for whoever runs the gateway. */

export class ListenError extends Error {
  /** The system's code, e.g. `EADDRINUSE`; `ERR_LISTENER_TLS` for certificates. */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ListenError';
    this.code = code;
  }
}

/** Names the listener, the address, what is wrong and what can be done. */
export function toListenError(
  error: NodeJS.ErrnoException,
  listener: { readonly name: string; readonly host: string; readonly port: number },
): ListenError {
  const { name, host, port } = listener;
  const where = `Listener "${name}" cannot listen on ${host.includes(':') ? `[${host}]` : host}:${port}`;
  const code = error.code ?? 'UNKNOWN';
  switch (code) {
    case 'EADDRINUSE':
      return new ListenError(
        code,
        `${where}: another program, or another listener, has that port (${code}). Stop it, or give this listener another address.`,
        error,
      );
    case 'EACCES':
      return new ListenError(
        code,
        `${where}: not permitted (${code}). Ports below 1024 need a privilege such as CAP_NET_BIND_SERVICE; or use a higher port.`,
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ListenError(
        code,
        `${where}: this machine has no such address (${code}). Use one of its own, or 0.0.0.0 for all.`,
        error,
      );
    default:
      return new ListenError(code, `${where}: ${error.message}`, error);
  }
}
