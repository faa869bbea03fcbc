/** Writes a request for the wire: the head as one string, and the frame around each piece of a body (RFC 9112). */
import { inOnePiece, IS_TOKEN, isMadeOf, isValue } from './octets.ts';
import { Recent } from './recent.ts';
import {
  checkAuthority,
  checkRequestLine,
  MEANS_A_BODY,
  RequestSyntaxError,
} from './request-syntax.ts';
import type { UpstreamRequest } from './upstream.ts';

/**
 * The head, empty line included, to be written as latin1. `Host` comes first, the framing is
 * ours alone: lines of the request that would compete with it are left out.
 * Throws RequestSyntaxError on anything that could break out of its line.
 */
export function toRequestHead(request: UpstreamRequest): string {
  const { method, target, authority, headers, body, upgrade } = request;
  checkRequestLine(request);
  let head = `${method} ${target}${toHostLine(authority)}${request.text ?? ''}`;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (name.length === 0 || !isMadeOf(name, IS_TOKEN)) {
      throw new RequestSyntaxError('a header field name is not a token');
    }
    if (!isValue(value)) {
      throw new RequestSyntaxError(`the value of ${name} holds a character that it must not`);
    }
    if (!isFraming(name)) head += `${name}: ${value}\r\n`;
  }
  if (upgrade !== undefined) {
    if (upgrade.length === 0 || !isValue(upgrade)) {
      throw new RequestSyntaxError('the upgrade token holds a character that it must not');
    }
    head += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  }
  if (body === undefined) {
    return MEANS_A_BODY.has(method) ? `${head}Content-Length: 0\r\n\r\n` : `${head}\r\n`;
  }
  if (request.expectContinue) head += 'Expect: 100-continue\r\n';
  return body.length === undefined
    ? `${head}Transfer-Encoding: chunked\r\n\r\n`
    : `${head}Content-Length: ${body.length}\r\n\r\n`;
}

const hostLines = new Recent<string>();

/** With the end of the line before it. */
function toHostLine(authority: string): string {
  const known = hostLines.get(authority);
  if (known !== undefined) return known;
  checkAuthority(authority);
  const line = inOnePiece(` HTTP/1.1\r\nHost: ${authority}\r\n`);
  hostLines.set(authority, line);
  return line;
}

/** What goes before a chunk's bytes; a CRLF goes after. */
export function toChunkStart(byteLength: number): string {
  return `${byteLength.toString(16)}\r\n`;
}

/** The last chunk and the trailers. Throws RequestSyntaxError like `toRequestHead`. */
export function toChunkedEnd(trailers: readonly string[] | undefined): string {
  if (trailers === undefined || trailers.length === 0) return '0\r\n\r\n';
  let end = '0\r\n';
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i]!;
    const value = trailers[i + 1]!;
    if (name.length === 0 || !isMadeOf(name, IS_TOKEN) || !isValue(value)) {
      throw new RequestSyntaxError('a trailer field holds a character that it must not');
    }
    // Must not come in trailers (RFC 9110 §6.5.1).
    if (!isFraming(name)) end += `${name}: ${value}\r\n`;
  }
  return `${end}\r\n`;
}

/** Whether a field belongs to the transport; most names are told by their length alone. */
function isFraming(name: string): boolean {
  switch (name.length) {
    case 2:
      return name.toLowerCase() === 'te';
    case 4:
      return name.toLowerCase() === 'host';
    case 6:
      return name.toLowerCase() === 'expect';
    case 7:
      return name.toLowerCase() === 'upgrade';
    case 10: {
      const lower = name.toLowerCase();
      return lower === 'connection' || lower === 'keep-alive';
    }
    case 14:
      return name.toLowerCase() === 'content-length';
    case 16:
      return name.toLowerCase() === 'proxy-connection';
    case 17:
      return name.toLowerCase() === 'transfer-encoding';
    default:
      return false;
  }
}
