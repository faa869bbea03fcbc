/** Bytes that never become an exchange, and what has to come of them. */
import type { Provocation } from './provocations.ts';

export interface Refusal extends Provocation {
  readonly bytes: string;
}

export const refusals: readonly Refusal[] = [
  {
    name: 'two lengths',
    code: 'bad_request',
    target: '',
    bytes: 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na',
    reason: /Content-Length/,
  },
  {
    name: 'TRACE',
    code: 'bad_request',
    status: 405,
    target: '',
    bytes: 'TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    fields: { allow: /^GET, HEAD, POST/ },
    reason: /TRACE/,
  },
  {
    name: 'a target that is too long',
    code: 'uri_too_long',
    target: '',
    bytes: `GET /${'a'.repeat(8192)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    reason: /8192 bytes/,
  },
  {
    name: 'too many fields',
    code: 'headers_too_large',
    target: '',
    bytes: `GET / HTTP/1.1\r\nHost: localhost\r\n${'X-A: b\r\n'.repeat(100)}\r\n`,
    reason: /100 header fields/,
  },
  {
    name: 'an expectation nobody knows',
    code: 'expectation_failed',
    target: '',
    bytes: 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nExpect: tea\r\n\r\na',
    reason: /100-continue/,
  },
];

/** For a listener with a short `headerTimeout`. */
export const tooSlow: Refusal = {
  name: 'a head that never ends',
  code: 'request_timeout',
  target: '',
  bytes: 'GET / HTTP/1.1\r\nHost: local',
  reason: /in time/,
};
