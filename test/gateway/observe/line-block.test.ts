import { describe, expect, it } from 'vitest';
import { LineBlock, LineBlocks, LinePiece } from '../../../src/gateway/observe/line-block.ts';

function written(compose: (block: LineBlock) => void, size = 64): string | undefined {
  const block = new LineBlock(size);
  block.begin();
  compose(block);
  return block.end() === 0 ? undefined : textOf(block);
}

function textOf({ bytes, length }: LineBlock): string {
  return bytes.toString('utf8', 0, length);
}

describe('a block of lines', () => {
  it.each([0, 1, 9, 10, 200, 65_535, 999_999_999, 1e9, 4_294_967_296, 2 ** 53])(
    'writes the integer %d as JSON does',
    (value) => expect(written((block) => block.integer(value))).toBe(JSON.stringify(value)),
  );

  it.each([0, 1, 10, 100, 999, 1000, 1001, 1010, 1100, 123_456, 59_999_990, 1e9, 1e9 + 1])(
    'writes %d thousandths as JSON does',
    (value) =>
      expect(written((block) => block.thousandths(value))).toBe(JSON.stringify(value / 1000)),
  );

  it.each(['a', 'GET /x?y', "it's", '~ '])('writes the text %j as it is', (text) =>
    expect(written((block) => block.text(text))).toBe(text),
  );

  it.each(['}', '{"a":1', '12345678', 'nine left', '日本 and 🜁\u007f\u007f', 'x'.repeat(64)])(
    'writes the piece %j as it is, whatever comes before it and behind',
    (text) => {
      const piece = new LinePiece(text);
      const line = written((block) => {
        block.text('a');
        block.piece(piece);
        block.piece(piece);
        block.text('z');
      }, 256);
      expect(line).toBe(`a${text}${text}z`);
    },
  );

  it.each([1, 7, 8, 9, 36])('writes %d octets of ASCII from wherever they are', (length) => {
    const text = 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(2);
    const octets = new DataView(new Uint8Array(Buffer.from(text)).buffer);
    const line = written((block) => {
      block.text('<');
      block.ascii(octets, 3, length);
      block.text('>');
    });
    expect(line).toBe(`<${text.slice(3, 3 + length)}>`);
  });

  it('fills the room to its end, and writes nothing behind it', () => {
    const piece = new LinePiece('12345');
    expect(written((block) => block.piece(piece), 5)).toBe('12345');
    expect(written((block) => block.piece(piece), 4)).toBeUndefined();
    const octets = new DataView(new ArrayBuffer(64));
    expect(written((block) => block.ascii(octets, 0, 16), 16)).toBe('\0'.repeat(16));
    expect(written((block) => block.ascii(octets, 0, 17), 16)).toBeUndefined();
  });

  it.each(['"', '\\', '\n', '\u0000', '\u007f', 'é', '\u010a', '日本', '\ud800'])(
    'has no line with a text that needs escapes or more bytes: %j',
    (text) => expect(written((block) => block.text(`a${text}b`))).toBeUndefined(),
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('has no line with %d', (value) =>
    expect(written((block) => block.integer(value))).toBeUndefined(),
  );

  it('has no line that is longer than the room left, and keeps those before it', () => {
    const block = new LineBlock(16);
    expect(block.add('one\n')).toBe(true);
    block.begin();
    block.text('1234567890123');
    expect(block.end()).toBe(0);
    block.begin();
    block.text('123456789012');
    expect(block.end()).toBe(12);
    expect([textOf(block), block.lines]).toEqual(['one\n123456789012', 2]);
  });

  it('says that a whole line has no room, and writes nothing of it', () => {
    const block = new LineBlock(16);
    expect(block.add('ü'.repeat(6))).toBe(false);
    expect([block.length, block.lines]).toEqual([0, 0]);
    expect(block.add('日'.repeat(5))).toBe(true);
    expect(textOf(block)).toBe('日'.repeat(5));
  });

  it('takes back its newest line', () => {
    const block = new LineBlock(16);
    block.add('one\n');
    block.add('two\n');
    block.remove(4);
    expect([textOf(block), block.lines]).toEqual(['one\n', 1]);
  });
});

describe('the blocks of a log', () => {
  it('are used again, empty', () => {
    const blocks = new LineBlocks();
    const block = blocks.take(0);
    block.add('one\n');
    blocks.giveBack(block);
    expect(blocks.take(0)).toBe(block);
    expect([block.length, block.lines]).toEqual([0, 0]);
  });

  it('are as large as a line needs, and such a one is not kept', () => {
    const blocks = new LineBlocks();
    const large = blocks.take(1_000_000);
    expect(large.bytes.length).toBe(1_000_000);
    blocks.giveBack(large);
    expect(blocks.take(0)).not.toBe(large);
  });
});
