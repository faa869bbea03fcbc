/** What is answered to bytes that never became a request: problem+json, as everything else. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { AdminError, toProblem } from './problem.ts';

const ERRORS: Readonly<Record<string, AdminError>> = {
  HPE_HEADER_OVERFLOW: new AdminError(
    431,
    'headers_too_large',
    'The header fields of the request are too large.',
  ),
  ERR_HTTP_REQUEST_TIMEOUT: new AdminError(
    408,
    'request_timeout',
    'The request did not come in whole in time.',
  ),
};
const MALFORMED = new AdminError(400, 'bad_request', 'The request is no HTTP that can be read.');

/** As Node keeps it: the answer that is being written. */
interface AnsweringSocket extends Socket {
  readonly _httpMessage?: { readonly headersSent: boolean } | null;
}

/** A handler of the server's `clientError`. */
export function answerConnectionError(
  { code = '' }: NodeJS.ErrnoException,
  socket: AnsweringSocket,
): void {
  // oxlint-disable-next-line eslint/no-underscore-dangle -- as Node's own handler looks at it
  const isAnswering = socket._httpMessage?.headersSent === true;
  // The caller has gone, or has part of an answer already.
  if (code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const error = ERRORS[code] ?? MALFORMED;
  const body = JSON.stringify(toProblem(error, { id: randomUUID(), path: '' }));
  socket.end(
    [
      `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      'cache-control: no-store',
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
