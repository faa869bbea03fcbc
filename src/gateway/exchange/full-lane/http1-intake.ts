/** Reads the head of an HTTP/1 request: what llhttp lets through and a gateway must not. */
import { codeAt } from '../../../mesh/transport/octets.ts';
import type { MeshgateError } from '../../../errors.ts';
import { sameName } from '../../../plugins/sdk/header-fields.ts';
import { isAuthority } from '../authority.ts';
import type { HeadLimits } from '../head-limits.ts';
import {
  badRequest,
  fieldsTooLarge,
  methodRefused,
  targetTooLong,
  tooManyFields,
} from '../request-refusals.ts';

/** The parts of a node:http request that the reading needs. */
export interface Http1RequestHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly rawHeaders: readonly string[];
}

export interface Http1Head {
  readonly authority: string;
  /** As received, without Host. */
  readonly headers: string[];
  /** In bytes; undefined: chunked; 0: no body. */
  readonly bodyLength: number | undefined;
}

/** The head, or why it is refused. RFC 9112 §3.2, §6.1, §6.3. */
export function readHttp1Head(
  request: Http1RequestHead,
  limits: HeadLimits,
): Http1Head | MeshgateError {
  const raw = request.rawHeaders;
  const target = request.url ?? '';
  const minor = request.httpVersionMinor;
  // llhttp also knows HTTP/0.9 and HTTP/2.0 by their version numbers.
  if (request.httpVersionMajor !== 1 || (minor !== 0 && minor !== 1)) {
    return badRequest('This is neither HTTP/1.0 nor HTTP/1.1.');
  }
  if (target.length > limits.maxTargetBytes) return targetTooLong(limits.maxTargetBytes);
  if (raw.length > limits.maxHeaderFields * 2) return tooManyFields(limits.maxHeaderFields);

  const headers: string[] = [];
  let authority: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let bytes = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    bytes += name.length + value.length + 4;
    if (name.length === 4 && sameName(name, 'host')) {
      if (authority !== undefined) return badRequest('There is more than one Host field.');
      authority = value;
      continue;
    }
    if (name.length === 14 && sameName(name, 'content-length')) {
      if (length !== undefined) return badRequest('There is more than one Content-Length field.');
      length = value;
    } else if (name.length === 17 && sameName(name, 'transfer-encoding')) {
      if (coding !== undefined) return badRequest('There is more than one Transfer-Encoding.');
      coding = value;
    }
    headers.push(name, value);
  }
  if (bytes > limits.maxHeaderBytes) return fieldsTooLarge(limits.maxHeaderBytes);
  if (authority === undefined && minor === 1) return badRequest('The Host field is missing.');
  if (authority !== undefined && !isAuthority(authority)) {
    return badRequest('The Host field is not a host and port.');
  }
  if (coding !== undefined) {
    if (length !== undefined) return badRequest('Content-Length with Transfer-Encoding.');
    if (minor === 0) return badRequest('HTTP/1.0 has no Transfer-Encoding.');
    // Any other coding is one that a server behind might understand and we would not.
    if (!sameName(coding, 'chunked')) return badRequest('The only transfer coding is chunked.');
  }
  const bodyLength = coding !== undefined ? undefined : length === undefined ? 0 : Number(length);
  if (bodyLength !== undefined && !Number.isSafeInteger(bodyLength)) {
    return badRequest('The Content-Length cannot be counted.');
  }
  if (request.method === 'TRACE') return methodRefused('TRACE');
  const first = codeAt(target, 0);
  if (first !== SLASH && !(first === ASTERISK ? isOptionsOfServer(request) : isAbsolute(target))) {
    return badRequest('The request target is neither a path nor a URL.');
  }
  return { authority: authority ?? '', headers, bodyLength };
}

const SLASH = 47;
const ASTERISK = 42;

function isOptionsOfServer(request: Http1RequestHead): boolean {
  return request.url === '*' && request.method === 'OPTIONS';
}

function isAbsolute(target: string): boolean {
  return /^https?:\/\/[^/?#]/i.test(target);
}

/** Whether a request asks to become a WebSocket, the one upgrade on offer (RFC 6455 §4.1). */
export function asksForWebSocket(request: Http1RequestHead): boolean {
  if (
    request.method !== 'GET' ||
    request.httpVersionMajor !== 1 ||
    request.httpVersionMinor !== 1
  ) {
    return false;
  }
  const raw = request.rawHeaders;
  let upgrades = 0;
  let webSocket = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    if (name.length === 7 && sameName(name, 'upgrade')) {
      upgrades++;
      webSocket = sameName(raw[i + 1]!, 'websocket');
    } else if (
      (name.length === 17 && sameName(name, 'transfer-encoding')) ||
      (name.length === 14 && sameName(name, 'content-length') && raw[i + 1] !== '0')
    ) {
      // A body before the switch would have to be told from the bytes of the tunnel.
      return false;
    }
  }
  return upgrades === 1 && webSocket;
}
