import { describe, expect, it } from 'vitest';
import type { AnswerHead } from '../../../src/mesh/transport/http1-answer-head.ts';
import { ResponseParser } from '../../../src/mesh/transport/http1-response-parser.ts';
import { ANSWERS, REFUSED } from './http1-answer-corpus.ts';
import type { AnswerOptions, HeardAnswer } from './http1-answer-corpus.ts';

/** Feeds the pieces and tells what came out. */
function hear(pieces: readonly string[], options: AnswerOptions = {}): HeardAnswer {
  const heard: HeardAnswer = {
    informational: [],
    head: undefined,
    body: '',
    outcome: 'incomplete',
    trailers: undefined,
    keepAlive: false,
    keepAliveTimeoutS: undefined,
    rest: '',
  };
  const parser = new ResponseParser(
    {
      onInformational: (status, headers) => heard.informational.push({ status, headers }),
      onHead: (status, reason, headers) => {
        if (heard.head !== undefined) throw new Error('a second head');
        heard.head = { status, reason, headers: headers.raw };
      },
      onBody: (chunk) => {
        if (chunk.length === 0) throw new Error('an empty piece');
        heard.body += chunk.toString('latin1');
      },
    },
    options.maxHeadBytes ?? 4096,
  );
  parser.start(options.isHead ?? false, options.mayUpgrade === true ? 'websocket' : undefined);
  for (const [index, piece] of pieces.entries()) {
    const taken = parser.push(Buffer.from(piece, 'latin1'));
    if (parser.failure !== undefined) return { ...heard, outcome: 'failed' };
    if (parser.isDone || parser.upgrade !== undefined) {
      heard.rest = piece.slice(taken) + pieces.slice(index + 1).join('');
      heard.outcome = parser.isDone ? 'done' : 'upgraded';
      break;
    }
    expect(taken).toBe(piece.length);
  }
  if (heard.outcome === 'incomplete' && parser.finish()) heard.outcome = 'done at the end';
  heard.trailers = parser.trailers;
  heard.keepAlive = parser.keepAlive;
  heard.keepAliveTimeoutS = parser.keepAliveTimeoutS;
  if (parser.upgrade !== undefined) heard.head = toHead(parser.upgrade);
  return heard;
}

function toHead({ status, reason, headers }: AnswerHead): HeardAnswer['head'] {
  return { status, reason, headers: headers.raw };
}

const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

describe('ResponseParser', () => {
  for (const { title, bytes, expected, options } of ANSWERS) {
    it(`reads ${title}`, () => {
      expect(hear([bytes], options)).toMatchObject(expected);
    });

    it(`reads ${title}, byte by byte, to the same result`, () => {
      expect(hear(bytes.split(''), options)).toEqual(hear([bytes], options));
    });

    it(`reads ${title}, cut in two at every place, to the same result`, () => {
      const whole = hear([bytes], options);
      for (let cut = 1; cut < bytes.length; cut++) {
        expect(hear([bytes.slice(0, cut), bytes.slice(cut)], options)).toEqual(whole);
      }
    });
  }

  for (const { title, bytes, options } of REFUSED) {
    it(`refuses ${title}`, () => {
      expect(hear([bytes], options).outcome).toBe('failed');
    });

    it(`refuses ${title}, byte by byte`, () => {
      expect(hear(bytes.split(''), options).outcome).toBe('failed');
    });
  }

  it.each([
    ['204 that states a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n', false],
    ['204 that states chunks', 'HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n', false],
    ['204 that states a length of zero', 'HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n', true],
    ['304 that states a length', 'HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\n', true],
    ['103 that states a length', `HTTP/1.1 103 H\r\nContent-Length: 2\r\n\r\n${EMPTY}`, false],
    [
      '103 that states chunks',
      `HTTP/1.1 103 H\r\nTransfer-Encoding: chunked\r\n\r\n${EMPTY}`,
      false,
    ],
    ['103 that says close', `HTTP/1.1 103 H\r\nConnection: close\r\n\r\n${EMPTY}`, false],
    [
      '100 that states a length of zero',
      `HTTP/1.1 100 C\r\nContent-Length: 0\r\n\r\n${EMPTY}`,
      true,
    ],
  ])('after %s says whether the connection may be kept', (_, bytes, keepAlive) => {
    expect(hear([bytes])).toMatchObject({ outcome: 'done', body: '', keepAlive });
  });

  it.each([
    ['the shortest of several', 'timeout=60, timeout=5', 5],
    ['the shortest, whichever comes last', 'timeout=5, timeout=60', 5],
    ['one after another parameter', 'max=100, Timeout=5', 5],
    ['none under a longer name', 'xtimeout=5', undefined],
    ['none that is no number', 'timeout=soon', undefined],
  ])('reads the time in Keep-Alive: %s', (_, value, seconds) => {
    const bytes = `HTTP/1.1 204 No\r\nKeep-Alive: ${value}\r\n\r\n`;
    expect(hear([bytes]).keepAliveTimeoutS).toBe(seconds);
  });

  it('passes pieces of a body on without copying them', () => {
    const bodies: Buffer[] = [];
    const parser = new ResponseParser(
      { onInformational: () => {}, onHead: () => {}, onBody: (chunk) => bodies.push(chunk) },
      4096,
    );
    parser.start(false, undefined);
    const first = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nfour');
    const second = Buffer.from('more');
    parser.push(first);
    parser.push(second);
    expect(bodies.map((body) => body.buffer)).toEqual([first.buffer, second.buffer]);
    expect(bodies[1]).toBe(second);
  });

  it('says nothing more once it was stopped from within', () => {
    const calls: string[] = [];
    const parser = new ResponseParser(
      {
        onInformational: () => {},
        onHead: () => {
          calls.push('head');
          parser.stop();
        },
        onBody: () => calls.push('body'),
      },
      4096,
    );
    parser.start(false, undefined);
    parser.push(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    expect(calls).toEqual(['head']);
    expect(parser.isDone).toBe(false);
  });

  it('lets what its handler throws through', () => {
    const parser = new ResponseParser(
      {
        onInformational: () => {},
        onHead: () => {
          throw new TypeError('a bug elsewhere');
        },
        onBody: () => {},
      },
      4096,
    );
    parser.start(false, undefined);
    expect(() => parser.push(Buffer.from('HTTP/1.1 204 \r\n\r\n'))).toThrow('a bug elsewhere');
  });

  it('reads one answer after another, forgetting the one before', () => {
    const heads: number[] = [];
    const parser = new ResponseParser(
      { onInformational: () => {}, onHead: (status) => heads.push(status), onBody: () => {} },
      4096,
    );
    parser.start(false, undefined);
    parser.push(
      Buffer.from(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=9\r\n\r\n0\r\nA: b\r\n\r\n',
      ),
    );
    expect(parser.trailers).toEqual(['A', 'b']);
    parser.start(false, undefined);
    expect([parser.hasHead, parser.trailers]).toEqual([false, undefined]);
    parser.push(Buffer.from('HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n'));
    expect(heads).toEqual([200, 201]);
    expect([parser.isDone, parser.trailers, parser.keepAliveTimeoutS]).toEqual([
      true,
      undefined,
      undefined,
    ]);
  });
});
