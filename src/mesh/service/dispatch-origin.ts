/** Which service an origin such as `http://orders.mesh:8080` names. */
import { errors } from 'undici';

export interface MeshOrigin {
  /** In lower case, as host names are compared. */
  readonly service: string;
  /** What the Host field says where the caller gives none. */
  readonly authority: string;
}

/** Nobody answers to the name; as with a name that DNS does not know, the code is `ENOTFOUND`. */
export class UnknownServiceError extends Error {
  readonly code = 'ENOTFOUND';
  readonly hostname: string;

  constructor(service: string, hostname: string) {
    super(`the mesh has no service "${service}" (asked for as ${hostname})`);
    this.name = 'UnknownServiceError';
    this.hostname = hostname;
  }
}

const SCHEME = 'http://';

/**
 * Throws InvalidArgumentError on what is not `http://<service><suffix>[:port]`. The port means
 * nothing, an endpoint has its own. So it is with TLS, which the service's protocol decides on:
 * `https://` would promise what nobody here can keep.
 */
export function parseMeshOrigin(origin: string | URL | undefined, suffix: string): MeshOrigin {
  const text = typeof origin === 'string' ? origin : (origin?.origin ?? '');
  if (!text.startsWith(SCHEME)) throw notOfTheMesh(text, suffix);
  const slash = text.indexOf('/', SCHEME.length);
  const authority = text.slice(SCHEME.length, slash === -1 ? undefined : slash);
  const colon = authority.indexOf(':');
  const hostname = (colon === -1 ? authority : authority.slice(0, colon)).toLowerCase();
  if (!hostname.endsWith(suffix) || hostname.length === suffix.length || authority.includes('@')) {
    throw notOfTheMesh(text, suffix);
  }
  return { service: hostname.slice(0, -suffix.length), authority };
}

/** Whether an origin, of whatever scheme, is for the mesh to take or to refuse. */
export function isMeshOrigin(origin: string | URL | undefined, suffix: string): boolean {
  const url = typeof origin === 'string' ? URL.parse(origin) : origin;
  return url?.hostname.endsWith(suffix) === true;
}

function notOfTheMesh(origin: string, suffix: string): Error {
  return new errors.InvalidArgumentError(
    `the origin "${origin}" is none of the mesh's: http://<service>${suffix} is expected`,
  );
}
