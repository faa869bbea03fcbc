/** From what node:http says of bytes that are no request, to a refusal, to the bytes of its answer. */
import { STATUS_CODES } from 'node:http';
import { MeshgateError } from '../../errors.ts';
import type { Answer } from '../../plugins/sdk/answer.ts';
import type { HeadLimits } from './head-limits.ts';
import { badRequest, fieldsTooLarge, targetTooLong } from './request-refusals.ts';

/** The error of a 'clientError' event; `rawPacket` is what was being parsed. */
export interface Http1ClientError {
  readonly code?: string | undefined;
  readonly message: string;
  readonly reason?: string;
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/** By node:http: a request's head did not come in time. */
export const HEAD_LATE = 'ERR_HTTP_REQUEST_TIMEOUT';

/** Undefined where nobody is left to answer, or nothing was asked: the connection just ends. */
export function toHttp1Refusal(
  error: Http1ClientError,
  limits: HeadLimits,
): MeshgateError | undefined {
  const code = error.code ?? '';
  if (code === HEAD_LATE) {
    return new MeshgateError('request_timeout', {
      status: 408,
      detail: 'The request head did not arrive in time.',
    });
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return stoppedInTarget(error)
      ? targetTooLong(limits.maxTargetBytes)
      : fieldsTooLarge(limits.maxHeaderBytes);
  }
  if (code === 'HPE_INVALID_EOF_STATE' || !code.startsWith('HPE_')) return undefined;
  return badRequest(`The bytes are not an HTTP request: ${error.reason ?? error.message}.`, error);
}

/**
 * llhttp counts target and fields in one sum and does not say where it stopped. A target has
 * neither line end nor space in it; so a packet without both was all target.
 */
function stoppedInTarget(error: Http1ClientError): boolean {
  const packet = error.rawPacket;
  if (packet === undefined) return false;
  const parsed = packet.subarray(0, error.bytesParsed ?? packet.length).toString('latin1');
  const lineEnd = parsed.indexOf('\n');
  if (lineEnd !== -1) return false;
  const space = parsed.indexOf(' ');
  return space === -1 || parsed.indexOf(' ', space + 1) === -1;
}

/** A complete answer that closes the connection. */
export function toHttp1Bytes(answer: Answer, nowMs: number): Buffer {
  const body =
    typeof answer.body === 'string' ? Buffer.from(answer.body) : (answer.body ?? new Uint8Array());
  const head = renderHttp1Head(answer.status, STATUS_CODES[answer.status] ?? '', [
    ...answer.headers,
    'Content-Length',
    String(body.length),
    'Date',
    new Date(nowMs).toUTCString(),
    'Connection',
    'close',
  ]);
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** Status line and field lines with the empty line after them; to be written as latin1. */
export function renderHttp1Head(
  status: number,
  reason: string,
  headers: readonly string[],
): string {
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]!}: ${headers[i + 1]!}\r\n`;
  return `${head}\r\n`;
}
