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

/** What could not be opened. */
export interface ListenPlace {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Of a listener that the mesh has. */
  readonly door?: 'inbound' | 'outbound' | undefined;
  /** It is no listener, but what the node has for itself. */
  readonly own?: keyof typeof OWN_DOORS;
}

/** What they are for. */
const OWN_DOORS = { status: 'probes and metrics', admin: 'the admin API' } as const;

/** Names the listener or the key of the configuration, the address, what is wrong and what can be done. */
export function toListenError(error: NodeJS.ErrnoException, place: ListenPlace): ListenError {
  const { name, host, port, own } = place;
  const key = own === undefined ? keyOfDoor(place) : `\`${own}.address\``;
  const who =
    own === undefined
      ? `Listener "${name}"`
      : `"${name}" (the node's own address for ${OWN_DOORS[own]}, none of the listeners)`;
  const where = `${who} cannot listen on ${host.includes(':') ? `[${host}]` : host}:${port}`;
  const another =
    key === undefined ? 'give this listener another address' : `set ${key} to another address`;
  const code = error.code ?? 'UNKNOWN';
  switch (code) {
    case 'EADDRINUSE':
      return new ListenError(
        code,
        `${where}: another program, or another listener, has that port (${code}). Stop it, or ${another}.`,
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

/** A listener's certificates cannot be used. */
export function toTlsError(error: Error, { name }: Pick<ListenPlace, 'name'>): ListenError {
  const text = `Listener "${name}" cannot serve TLS: ${error.message}`;
  return new ListenError('ERR_LISTENER_TLS', text, error);
}

/** As a reader of the file would look for it; listeners of the edge are found by their names. */
function keyOfDoor({ door }: ListenPlace): string | undefined {
  if (door === 'outbound') return '`outbound.address`';
  return door === 'inbound' ? '`inbound` of its entry in `register`' : undefined;
}
