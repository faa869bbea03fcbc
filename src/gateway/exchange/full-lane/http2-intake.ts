/** Reads the head of an HTTP/2 request: what nghttp2 lets through and a gateway must not. */
import { codeAt } from '../../../mesh/transport/octets.ts';
import { METHODS as httpMethods } from 'node:http';
import type { MeshgateError } from '../../../errors.ts';
import type { MeshDoor } from '../../config/listener-config.ts';
import { isAuthority } from '../authority.ts';
import {
  badRequest,
  expectationFailed,
  fieldsTooLarge,
  methodRefused,
  targetTooLong,
  tooManyFields,
} from '../request-refusals.ts';
import type { HeadLimits } from '../head-limits.ts';

export interface Http2Head {
  /** An extended CONNECT for a WebSocket reads as GET, as it would over HTTP/1.1. */
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  /** Names in lower case; cookie crumbs in one line. */
  readonly headers: string[];
  /** In bytes; undefined: unknown; 0: no body. */
  readonly bodyLength: number | undefined;
  readonly upgrade: string | undefined;
  readonly expectContinue: boolean;
  /** Of the target, and of names and values. */
  readonly bytes: number;
}

const COLON = 58;

/** The head, or why it is refused. RFC 9113 §8.3, RFC 8441 §4. `ended`: no body follows. `door`: of the listener. */
export function readHttp2Head(
  raw: readonly string[],
  ended: boolean,
  limits: HeadLimits,
  door?: MeshDoor,
): Http2Head | MeshgateError {
  const headers: string[] = [];
  let method = '';
  let target = '';
  let authority: string | undefined;
  let protocol: string | undefined;
  let host: string | undefined;
  let length: string | undefined;
  let expect: string | undefined;
  let cookieAt = -1;
  let bytes = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    if (codeAt(name, 0) === COLON) {
      if (name === ':method') method = value;
      else if (name === ':path') target = value;
      else if (name === ':authority') authority = value;
      else if (name === ':protocol') protocol = value;
      continue;
    }
    bytes += name.length + value.length + 4;
    switch (name) {
      case 'host':
        if (host !== undefined) return badRequest('There is more than one Host field.');
        host = value;
        continue;
      case 'cookie':
        // RFC 9113 §8.2.3: crumbs become one line before they leave HTTP/2.
        if (cookieAt !== -1) {
          headers[cookieAt] += `; ${value}`;
          continue;
        }
        cookieAt = headers.length + 1;
        break;
      case 'content-length':
        if (length !== undefined) return badRequest('There is more than one Content-Length field.');
        length = value;
        break;
      case 'expect':
        expect = value;
        break;
      default:
    }
    headers.push(name, value);
  }
  if (target.length > limits.maxTargetBytes) return targetTooLong(limits.maxTargetBytes);
  if (headers.length > limits.maxHeaderFields * 2) return tooManyFields(limits.maxHeaderFields);
  if (bytes > limits.maxHeaderBytes) return fieldsTooLarge(limits.maxHeaderBytes);

  const named = authority ?? host ?? '';
  if (authority !== undefined && host !== undefined && !sameText(authority, host)) {
    return badRequest('The Host field and :authority differ.');
  }
  if (named === '' || !isAuthority(named)) {
    return badRequest('The :authority is missing, or is not a host and port.');
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) {
    return badRequest('The Content-Length cannot be counted.');
  }
  const upgrade = method === 'CONNECT' && protocol === 'websocket' ? 'websocket' : undefined;
  if (upgrade === undefined && (method === 'CONNECT' || method === 'TRACE')) {
    return methodRefused(method, door);
  }
  if (!METHODS.has(method))
    return badRequest('The method is none that HTTP/1.1 is served by here.');
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return expectationFailed();
  if (codeAt(target, 0) !== SLASH && !(target === '*' && method === 'OPTIONS')) {
    return badRequest('The :path is not a path.');
  }
  const bodyless = ended || upgrade !== undefined || length === '0';
  return {
    method: upgrade === undefined ? method : 'GET',
    target,
    authority: named,
    headers,
    bodyLength: bodyless ? 0 : length === undefined ? undefined : Number(length),
    upgrade,
    expectContinue: expect !== undefined && !bodyless,
    bytes: bytes + target.length,
  };
}

/** The same as of HTTP/1.1, whose parser knows no others: a route is to mean the same over both. */
const METHODS: ReadonlySet<string> = new Set(httpMethods);

const SLASH = 47;

function sameText(a: string, b: string): boolean {
  return a === b || a.toLowerCase() === b.toLowerCase();
}
