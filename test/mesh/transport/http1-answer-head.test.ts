import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerSyntaxError } from '../../../src/mesh/transport/answer-syntax-error.ts';
import {
  ANSWER_FIELDS_OF_A_HOP,
  parseAnswerHead,
} from '../../../src/mesh/transport/http1-answer-head.ts';
import type { HeaderFields } from '../../../src/plugins/sdk/header-fields.ts';

const BEFORE = 'bytes of another answer';

function fieldsOf(lines: string): HeaderFields {
  const head = Buffer.from(`${BEFORE}HTTP/1.1 200 OK\r\n${lines}\r\nbody`, 'latin1');
  const { headers, end } = parseAnswerHead(head, BEFORE.length)!;
  expect(head.toString('latin1', end)).toBe('body');
  return headers;
}

describe('a head', () => {
  it('is not there before all of it is', () => {
    const head = Buffer.from('HTTP/1.1 200 OK\r\nA: 1\r\nDate:  now \r\nB:\r\n\r\n', 'latin1');
    for (let length = 0; length < head.length; length++) {
      expect(parseAnswerHead(head.subarray(0, length), 0)).toBeUndefined();
    }
    expect(parseAnswerHead(head, 0)!.end).toBe(head.length);
  });

  it('is refused for what stands in it, whether or not all of it is there', () => {
    for (const line of ['A 1\r\n', ' A: 1\r\n', 'A: 1\rB: 2\r\n', 'A: \0\r\n', '\rA: 1\r\n']) {
      for (const rest of ['', '\r\n']) {
        const head = Buffer.from(`HTTP/1.1 200 OK\r\n${line}${rest}`, 'latin1');
        expect(() => parseAnswerHead(head, 0)).toThrow(AnswerSyntaxError);
      }
    }
  });
});

describe('the fields of an answer', () => {
  it('are text but for those of the hop', () => {
    const { text, rest } = fieldsOf(
      'Server: a\r\nDate: now\r\nContent-Type: text/html\r\nETag: "é"\r\nCONNECTION: close\r\nVary: b\r\n',
    );
    expect(text).toBe('Server: a\r\nContent-Type: text/html\r\nETag: "é"\r\nVary: b\r\n');
    expect(rest).toEqual(['Date', 'now', 'CONNECTION', 'close']);
  });

  it('are text with one space behind the name and none behind the value', () => {
    const { text, rest } = fieldsOf(
      'A:1\r\nB:  2\r\nC: 3 \t\r\nD:\t4\r\nE: \r\nF:\r\nG: 7\r\nte:8\r\n',
    );
    expect(text).toBe('A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: \r\nF: \r\nG: 7\r\n');
    expect(rest).toEqual(['te', '8']);
  });

  it('may be none, or none but those of the hop', () => {
    expect(fieldsOf('').raw).toEqual([]);
    const { text, rest } = fieldsOf('Content-Length: 0\r\n');
    expect([text, rest]).toEqual(['', ['Content-Length', '0']]);
  });

  it('are all there, whatever their names, values, order and white space', () => {
    const hop = ANSWER_FIELDS_OF_A_HOP.filter((name) => !/length|encoding/.test(name));
    const name = fc.oneof(
      fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/),
      fc.constantFrom(...hop, ...hop.map((one) => one.toUpperCase())),
    );
    const value = fc.stringMatching(/^([!-~]([ -~]{0,10}[!-~])?)?$/);
    const space = fc.constantFrom('', ' ', '\t', '  ');
    const line = fc.record({ name, value, before: space, after: space });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        fc.pre(lines.every((one) => !/^(content-length|transfer-encoding)$/i.test(one.name)));
        const fields = fieldsOf(
          lines.map((one) => `${one.name}:${one.before}${one.value}${one.after}\r\n`).join(''),
        );
        const names = new Set(ANSWER_FIELDS_OF_A_HOP);
        for (const part of fields.text.split('\r\n').slice(0, -1)) {
          expect(names).not.toContain(part.slice(0, part.indexOf(':')).toLowerCase());
        }
        const byName = (list: readonly string[]): string[] =>
          [...list].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const pairs: string[] = [];
        for (let i = 0; i < fields.raw.length; i += 2) {
          pairs.push(`${fields.raw[i]}: ${fields.raw[i + 1]}`);
        }
        expect(byName(pairs)).toEqual(byName(lines.map((one) => `${one.name}: ${one.value}`)));
      }),
    );
  });
});
