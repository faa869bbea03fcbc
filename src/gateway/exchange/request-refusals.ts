/** Refusals of requests for their form, which every protocol shares; each call makes a new error. */
import { MeshgateError } from '../../errors.ts';
import type { MeshDoor } from '../config/listener-config.ts';

export function badRequest(detail: string, cause?: unknown): MeshgateError {
  return new MeshgateError('bad_request', { status: 400, detail, cause });
}

/** Who sends such a request may mean something else by the bytes behind it, too. */
export function isMalformed(cause: unknown): boolean {
  return cause instanceof MeshgateError && cause.code === 'bad_request' && cause.status === 400;
}

export function targetTooLong(maxBytes: number): MeshgateError {
  return new MeshgateError('uri_too_long', {
    status: 414,
    detail: `The request target is longer than ${maxBytes} bytes.`,
  });
}

export function tooManyFields(maxFields: number): MeshgateError {
  return new MeshgateError('headers_too_large', {
    status: 431,
    detail: `The request has more than ${maxFields} header fields.`,
  });
}

export function fieldsTooLarge(maxBytes: number): MeshgateError {
  return new MeshgateError('headers_too_large', {
    status: 431,
    detail: `The header fields are larger than ${maxBytes} bytes.`,
  });
}

export function expectationFailed(): MeshgateError {
  return new MeshgateError('expectation_failed', {
    status: 417,
    detail: 'The only expectation that can be met is 100-continue.',
  });
}

const TUNNEL_REFUSED =
  'CONNECT is not served here: the outbound door passes on plain HTTP, so call http://<service>.mesh/ (not https, and without a tunnel: in Node.js by node:http with NODE_USE_ENV_PROXY=1, or by the ProxyAgent of undici with proxyTunnel: false); encryption between nodes is the work of the mesh.';

/** TRACE would echo credentials to whoever asks; CONNECT would make an open proxy. */
export function methodRefused(method: string, door?: MeshDoor): MeshgateError {
  const isTunnel = method === 'CONNECT' && door === 'outbound';
  return new MeshgateError('bad_request', {
    status: 405,
    detail: isTunnel ? TUNNEL_REFUSED : `${method} is not served here.`,
    headers: ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
  });
}

/** The client left, or broke off its body. */
export function clientGone(cause?: unknown): MeshgateError {
  return new MeshgateError('client_closed_request', {
    status: 499,
    detail: 'The client closed the connection before its request was complete.',
    cause,
  });
}
