/** The field lines of a request and its trailers as HTTP/2 wants them: pseudo-headers first, lower case, no framing (RFC 9113 §8). */
import { toFieldList } from '../../plugins/sdk/header-fields.ts';
import { IS_TOKEN, isMadeOf, isValue } from './octets.ts';
import {
  checkAuthority,
  checkRequestLine,
  MEANS_A_BODY,
  RequestSyntaxError,
} from './request-syntax.ts';
import type { UpstreamRequest } from './upstream.ts';

/** What a request says of where it goes. */
export interface RequestOrigin {
  readonly scheme: 'http' | 'https';
  /** For a request that names none (HTTP/1.0): many servers refuse one without. */
  readonly authority: string;
}

/**
 * The flat list that `session.request` takes. Throws RequestSyntaxError on what HTTP/2 must not
 * carry: an upstream that goes on in HTTP/1.1 would write it into a line of its own
 * (RFC 9113 §10.3). With `upgrade` it is an extended CONNECT (RFC 8441 §4).
 */
export function toRequestFields(request: UpstreamRequest, origin: RequestOrigin): string[] {
  const { method, target, authority, headers, text, body, upgrade } = request;
  checkRequestLine(request);
  checkAuthority(request.authority);
  const fields = [
    ':method',
    upgrade === undefined ? method : 'CONNECT',
    ':scheme',
    origin.scheme,
    ':authority',
    authority === '' ? origin.authority : authority,
    ':path',
    target,
  ];
  if (upgrade !== undefined) {
    if (!isValue(upgrade)) {
      throw new RequestSyntaxError('the upgrade token holds a character that it must not');
    }
    fields.push(':protocol', upgrade.toLowerCase());
  }
  if (text !== undefined) appendFields(fields, toFieldList(text), upgrade !== undefined);
  appendFields(fields, headers, upgrade !== undefined);
  if (upgrade !== undefined) return fields;
  const length = body === undefined ? 0 : body.length;
  if (length === undefined || length > 0) {
    if (request.expectContinue) fields.push('expect', '100-continue');
    if (length !== undefined) fields.push('content-length', String(length));
  } else if (MEANS_A_BODY.has(method)) {
    fields.push('content-length', '0');
  }
  return fields;
}

/** Trailers as `stream.sendTrailers` takes them. Throws RequestSyntaxError like `toRequestFields`. */
export function toTrailerFields(trailers: readonly string[] | undefined): Record<string, string[]> {
  const byName: Record<string, string[]> = Object.create(null);
  if (trailers === undefined) return byName;
  const fields: string[] = [];
  appendFields(fields, trailers, false);
  for (let i = 0; i < fields.length; i += 2) (byName[fields[i]!] ??= []).push(fields[i + 1]!);
  return byName;
}

/** The size of a field list as SETTINGS_MAX_HEADER_LIST_SIZE counts it (RFC 9113 §6.5.2). */
export function toFieldListBytes(fields: readonly string[]): number {
  let bytes = fields.length * 16;
  for (const text of fields) bytes += text.length;
  return bytes;
}

function appendFields(
  fields: string[],
  headers: readonly string[],
  isExtendedConnect: boolean,
): void {
  for (let i = 0; i < headers.length; i += 2) {
    // Costs nothing where it is lower case already: the same string comes back.
    const name = headers[i]!.toLowerCase();
    const value = headers[i + 1]!;
    if (name.length === 0 || !isMadeOf(name, IS_TOKEN)) {
      throw new RequestSyntaxError('a field name is not a token');
    }
    if (!isValue(value)) {
      throw new RequestSyntaxError(`the value of ${name} holds a character that it must not`);
    }
    if (!isLeftOut(name, value, isExtendedConnect)) fields.push(name, value);
  }
}

/** Fields that belong to one connection or to the framing (RFC 9113 §8.2.2). */
function isLeftOut(name: string, value: string, isExtendedConnect: boolean): boolean {
  switch (name) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'transfer-encoding':
    case 'upgrade':
    case 'http2-settings':
    case 'host':
    case 'content-length':
    case 'expect':
      return true;
    case 'te':
      return value.trim().toLowerCase() !== 'trailers';
    // Proves nothing over HTTP/2, and is not sent (RFC 8441 §5).
    case 'sec-websocket-key':
      return isExtendedConnect;
    default:
      return false;
  }
}
