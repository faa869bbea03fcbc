import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSealer, SealError } from '../../../../src/gateway/config/versions/sealer.ts';

const PLAIN = Buffer.from('secret of the house');

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SealError) return error.code;
    throw error;
  }
  return 'none';
}

describe('a sealer', () => {
  it('opens what it sealed, where it was sealed for', () => {
    const sealer = createSealer([randomBytes(32)]);
    const sealed = sealer.seal(PLAIN, 'body a 0/1');
    expect(Buffer.from(sealer.open(sealed, 'body a 0/1'))).toEqual(PLAIN);
    expect(codeOf(() => sealer.open(sealed, 'body b 0/1'))).toBe('damaged');
    expect(sealed).not.toContain(PLAIN.toString('base64').slice(0, 10));
  });

  it('never seals twice alike', () => {
    const sealer = createSealer([randomBytes(32)]);
    expect(sealer.seal(PLAIN, 'x')).not.toBe(sealer.seal(PLAIN, 'x'));
  });

  it('notices each bit that was altered', () => {
    const sealer = createSealer([randomBytes(32)]);
    const [format, id, text] = sealer.seal(PLAIN, 'x').split('.');
    const bytes = Buffer.from(text!, 'base64');
    for (let index = 0; index < bytes.length; index++) {
      const altered = Buffer.from(bytes);
      altered[index]! ^= 1;
      const sealed = `${format}.${id}.${altered.toString('base64')}`;
      expect(codeOf(() => sealer.open(sealed, 'x'))).toBe('damaged');
    }
    expect(codeOf(() => sealer.open(`${format}.${id}.AAAA`, 'x'))).toBe('damaged');
    expect(codeOf(() => sealer.open('nonsense', 'x'))).toBe('damaged');
  });

  it('opens with any of its keys, and seals with the first', () => {
    const [old, young] = [randomBytes(32), randomBytes(32)];
    const before = createSealer([old]);
    const between = createSealer([young, old]);
    const after = createSealer([young]);
    const sealed = before.seal(PLAIN, 'x');
    expect(Buffer.from(between.open(sealed, 'x'))).toEqual(PLAIN);
    expect([between.isOwn(sealed), before.isOwn(sealed)]).toEqual([false, true]);
    expect(Buffer.from(after.open(between.seal(PLAIN, 'x'), 'x'))).toEqual(PLAIN);
    expect(codeOf(() => after.open(sealed, 'x'))).toBe('unknown-key');
    expect(codeOf(() => after.verify('text', before.sign('text')))).toBe('unknown-key');
  });

  it('tells what it signed from what it did not', () => {
    const sealer = createSealer([randomBytes(32)]);
    const signature = sealer.sign('text');
    expect(codeOf(() => sealer.verify('text', signature))).toBe('none');
    expect(codeOf(() => sealer.verify('test', signature))).toBe('damaged');
    expect(codeOf(() => sealer.verify('text', signature.slice(0, -4)))).toBe('damaged');
  });

  it('shows nothing of the key in its name', () => {
    const key = randomBytes(32);
    expect(createSealer([key]).keyId).toMatch(/^[0-9a-f]{8}$/);
    expect(key.toString('hex')).not.toContain(createSealer([key]).keyId);
  });

  it('takes keys of 32 bytes alone', () => {
    expect(() => createSealer([randomBytes(16)])).toThrow(TypeError);
    expect(() => createSealer([])).toThrow(TypeError);
  });
});
