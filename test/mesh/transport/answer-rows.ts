/** What the rows of the corpus are made of: answers that are right but for what a row is about. */
import type { AskedAnswer } from './answer-observation.ts';

/**
 * - `reused`: read to its end, and the connection carries the next request
 * - `closed`: read to its end, and the connection is given up
 * - `upgraded`: the connection is a tunnel
 * - `refused`: the try fails
 */
export type Verdict = 'reused' | 'closed' | 'upgraded' | 'refused';

export type AnswerOptions = Partial<Omit<AskedAnswer, 'segments'>>;
export type Row = readonly [
  title: string,
  verdict: Verdict,
  segments: string | readonly string[],
  options?: AnswerOptions,
];

export const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
export const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
export const MAX_HEAD_BYTES = 16_384;

export const fields = (...lines: string[]): string =>
  `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
export const sized = (...lines: string[]): string => `${fields('Content-Length: 2', ...lines)}hi`;
export const chunked = (body: string): string => `${fields('Transfer-Encoding: chunked')}${body}`;
export const coded = (value: string, body = '2\r\nhi\r\n0\r\n\r\n'): string =>
  `${fields(`Transfer-Encoding:${value}`)}${body}`;
export const long = (value: string, body = 'hi'): string =>
  `${fields(`Content-Length:${value}`)}${body}`;
