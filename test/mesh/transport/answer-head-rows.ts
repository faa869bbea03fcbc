/** Answers by their head: status lines, fields, and whether the connection is kept. */
import { fields, GOOD, MAX_HEAD_BYTES, sized, type Row } from './answer-rows.ts';

export const STATUS_LINES: readonly Row[] = [
  ['a status of 199', 'refused', 'HTTP/1.1 199 Odd\r\nContent-Length: 2\r\n\r\nhi'],
  ['a status of 299', 'reused', 'HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nhi'],
  ['a status of 600', 'reused', 'HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nhi'],
  ['a status of 999', 'reused', 'HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi'],
  ['a status of zero', 'refused', 'HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\nhi'],
  ['a status with a letter', 'refused', 'HTTP/1.1 2O0 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['205 with a length', 'reused', 'HTTP/1.1 205 Reset\r\nContent-Length: 2\r\n\r\nhi'],
  ['a tab before the reason', 'refused', 'HTTP/1.1 200\tOK\r\nContent-Length: 2\r\n\r\nhi'],
  ['no space before the reason', 'refused', 'HTTP/1.1 200OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['a tab in the reason', 'reused', 'HTTP/1.1 200 O\tK\r\nContent-Length: 2\r\n\r\nhi'],
  [
    'a reason that begins with a space',
    'reused',
    'HTTP/1.1 200  OK\r\nContent-Length: 2\r\n\r\nhi',
  ],
  ['two CR after the reason', 'refused', 'HTTP/1.1 200 OK\r\rContent-Length: 2\r\n\r\nhi'],
  ['CR before it', 'refused', `\r${GOOD}`],
  ['a bare CR in the reason', 'refused', 'HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\nhi'],
  ['a status line that ends in LF', 'refused', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nhi'],
  [
    'a reason in two segments',
    'reused',
    ['HTTP/1.1 200 All', ' is well\r\nContent-Length: 2\r\n\r\nhi'],
  ],
  ['obs-text in the reason', 'reused', 'HTTP/1.1 200 \xc3\xa9\xff\r\nContent-Length: 2\r\n\r\nhi'],
  ['HTTP/1.10', 'refused', 'HTTP/1.10 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['HTTP/3.0', 'refused', 'HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['HTTP/0.9 in a status line', 'refused', 'HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['HTTP/11', 'refused', 'HTTP/11 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['ICY', 'refused', 'ICY 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['RTSP/1.0', 'refused', 'RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['a request in place of an answer', 'refused', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a space before the version', 'refused', ` ${GOOD}`],
  ['an empty line before it', 'refused', `\r\n${GOOD}`],
  ['LF before it', 'refused', `\n${GOOD}`],
  ['two HTTP/2 frames', 'refused', '\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0'],
  ['a TLS alert', 'refused', '\x15\x03\x01\0\x02\x02\x46'],
];

export const FIELDS: readonly Row[] = [
  ['every octet of a name', 'reused', sized("!#$%&'*+-.^_`|~aZ09: b")],
  ['every octet of a value', 'reused', sized(`A: ${octets(0x20, 0x7e)}\t${octets(0x80, 0xff)}.`)],
  ['a name of many octets', 'reused', sized(`${'a'.repeat(300)}: b`)],
  ['several fields of one name', 'reused', sized('Set-Cookie: a', 'Set-Cookie: b', 'set-cookie:c')],
  ['a value that is white space', 'reused', sized('A: \t ', 'B:\t')],
  ['1,000 fields', 'reused', sized(...Array.from({ length: 1000 }, (_, i) => `A: ${i % 10}`))],
  ['a head of the limit', 'reused', headOf(MAX_HEAD_BYTES)],
  ['a head over the limit', 'refused', headOf(MAX_HEAD_BYTES + 1)],
  ['a head far over the limit', 'refused', headOf(4 * MAX_HEAD_BYTES)],
  ['a name without a value or colon', 'refused', sized('A')],
  ['a name in quotes', 'refused', sized('"A": b')],
  ['an empty name', 'refused', sized(': b')],
  ['a name with NUL', 'refused', sized('A\0: b')],
  ['a value with NUL', 'refused', sized('A: \0')],
  ['a value with a control octet', 'refused', sized('A: \x01')],
  ['a value with DEL', 'refused', sized('A: \x7f')],
  ['a value with an escape', 'refused', sized('A: \x1b[0m')],
  ['a value that begins with a vertical tab', 'refused', sized('A:\x0bb')],
  ['a folded value', 'refused', sized('A: b', '\tc')],
  ['a folded empty value', 'refused', sized('A:', ' b')],
  ['a value with a bare LF', 'refused', sized('A: b\nC: d')],
  ['a value with a bare CR', 'refused', sized('A: b\rC: d')],
  ['a value that ends in two CR', 'refused', sized('A: b\r')],
  ['an end of the head that is LF', 'refused', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nhi'],
];

export const PERSISTENCE: readonly Row[] = [
  ['close', 'closed', sized('Connection: close')],
  ['close in upper case', 'closed', sized('Connection: CLOSE')],
  ['close in a list', 'closed', sized('Connection: a,close ,b')],
  ['close in the second line', 'closed', sized('Connection: a', 'Connection: close')],
  ['close beside keep-alive', 'closed', sized('Connection: keep-alive, close')],
  ['close before keep-alive', 'closed', sized('Connection: close, keep-alive')],
  ['close with empty members', 'closed', sized('Connection: ,close,')],
  ['close with a tab', 'closed', sized('Connection: a\t,\tclose')],
  ['keep-alive', 'reused', sized('Connection: keep-alive')],
  ['an option that is unknown', 'reused', sized('Connection: a')],
  ['an empty Connection', 'reused', sized('Connection:')],
  ['an option that contains close', 'reused', sized('Connection: close-not')],
  ['close in a parameter', 'reused', sized('Connection: a=close')],
  ['close in quotes', 'reused', sized('Connection: "close"')],
  ['upgrade without 101', 'reused', sized('Connection: upgrade', 'Upgrade: h2c')],
  ['Proxy-Connection', 'reused', sized('Proxy-Connection: close')],
  ['close for HEAD', 'closed', fields('Content-Length: 2', 'Connection: close'), { isHead: true }],
  ['HEAD with a length', 'reused', fields('Content-Length: 2'), { isHead: true }],
  ['HEAD without a length', 'reused', fields('A: b'), { isHead: true }],
  ['HEAD with chunks', 'reused', fields('Transfer-Encoding: chunked'), { isHead: true }],
  ['HEAD kept alive', 'reused', fields('Connection: keep-alive'), { isHead: true }],
  [
    'HEAD with HTTP/1.0',
    'closed',
    'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n',
    { isHead: true },
  ],
  ['HEAD with 204', 'reused', 'HTTP/1.1 204 No Content\r\n\r\n', { isHead: true }],
  ['HEAD with 304', 'reused', 'HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\n', { isHead: true }],
  ['close for 204', 'closed', 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'],
  ['close for 304', 'closed', 'HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n'],
  ['204 with HTTP/1.0', 'closed', 'HTTP/1.0 204 No Content\r\n\r\n'],
  [
    'HTTP/1.0 kept alive',
    'reused',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi',
  ],
  [
    'HTTP/1.0 kept alive without a length',
    'closed',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhi',
  ],
  [
    'HTTP/1.0 kept alive by Proxy-Connection',
    'closed',
    'HTTP/1.0 200 OK\r\nProxy-Connection: keep-alive\r\nContent-Length: 2\r\n\r\nhi',
  ],
  [
    'HTTP/1.0 with an option',
    'closed',
    'HTTP/1.0 200 OK\r\nConnection: a\r\nContent-Length: 2\r\n\r\nhi',
  ],
  [
    'HTTP/1.0 in chunks',
    'refused',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['an idle time of zero', 'closed', sized('Keep-Alive: timeout=0')],
  ['an idle time of one second', 'closed', sized('Keep-Alive: timeout=1')],
  ['an idle time of a minute', 'reused', sized('Keep-Alive: timeout=60, max=2')],
  ['an idle time that is none', 'reused', sized('Keep-Alive: timeout=soon')],
  ['an idle time beside a count', 'closed', sized('Keep-Alive: max=5, timeout=1')],
  ['an idle time in quotes', 'reused', sized('Keep-Alive: timeout="1"')],
  ['an idle time under another name', 'reused', sized('Keep-Alive: xtimeout=1')],
  ['two idle times', 'closed', sized('Keep-Alive: timeout=60', 'Keep-Alive: timeout=1')],
  ['two idle times, short first', 'closed', sized('Keep-Alive: timeout=1, timeout=60')],
];

function octets(from: number, to: number): string {
  return String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

/** An answer whose head has so many bytes. */
function headOf(bytes: number): string {
  const rest = sized('A: ').length - 'hi'.length;
  return sized(`A: ${'a'.repeat(bytes - rest)}`);
}
