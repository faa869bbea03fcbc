import { describe, expect, it } from 'vitest';
import { toKnown } from '../../../../src/gateway/config/versions/known-head.ts';
import { createVersionChoice } from '../../../../src/gateway/config/versions/version-choice.ts';
import type { KnownVersion } from '../../../../src/gateway/config/versions/version-store.ts';

function version(number: number): KnownVersion {
  const record = { author: 'ann', at: '', message: '', pinned: false, lineage: '', nonce: '' };
  return toKnown({ ...record, version: number, hash: `${number}`, signature: '' }, '{}');
}

const [ONE, TWO, THREE] = [version(1), version(2), version(3)];

describe('which version a node tries', () => {
  it('is the newest, each time', () => {
    let head: KnownVersion | undefined;
    const choice = createVersionChoice(
      () => head,
      () => undefined,
    );
    expect(choice.next()).toEqual({ version: undefined, isStopgap: false });
    choice.accepted(true);
    expect(choice.runs).toBeUndefined();
    head = ONE;
    expect(choice.next()).toEqual({ version: ONE, isStopgap: false });
    choice.accepted(true);
    expect(choice.runs).toBe(ONE);
  });

  it('falls back to what runs where the newest is refused, and says so until a good one comes', () => {
    let head = ONE;
    const choice = createVersionChoice(
      () => head,
      () => undefined,
    );
    choice.next();
    choice.accepted(true);
    head = TWO;
    choice.next();
    expect(choice.refused('no')).toBe(true);
    expect(choice.next()).toEqual({ version: ONE, isStopgap: true });
    choice.accepted(true);
    expect([choice.runs, choice.refusal]).toEqual([ONE, { version: TWO, reason: 'no' }]);
    // The file has changed, and the version may do now.
    expect(choice.next()).toEqual({ version: TWO, isStopgap: false });
    choice.accepted(true);
    expect([choice.runs, choice.refusal]).toEqual([TWO, undefined]);
  });

  it('falls back at a start to what ran before it, and then to the file alone', () => {
    const choice = createVersionChoice(
      () => TWO,
      () => ONE,
    );
    choice.next();
    expect(choice.refused('no')).toBe(true);
    expect(choice.next()).toEqual({ version: ONE, isStopgap: true });
    expect(choice.refused('no')).toBe(true);
    expect(choice.next()).toEqual({ version: undefined, isStopgap: true });
    expect(choice.refused('the file too')).toBe(false);
    expect(choice.refusal).toEqual({ version: TWO, reason: 'no' });
  });

  it('does not try again what was just refused', () => {
    const choice = createVersionChoice(
      () => TWO,
      () => TWO,
    );
    choice.next();
    choice.refused('no');
    expect(choice.next().version).toBeUndefined();
  });

  it('takes a newer version before any stopgap', () => {
    let head = TWO;
    const choice = createVersionChoice(
      () => head,
      () => ONE,
    );
    choice.next();
    choice.refused('no');
    head = THREE;
    choice.moved();
    expect(choice.next()).toEqual({ version: THREE, isStopgap: false });
  });

  it('blames no version for a file that is refused around one that runs', () => {
    const choice = createVersionChoice(
      () => ONE,
      () => undefined,
    );
    choice.next();
    choice.accepted(true);
    choice.next();
    expect(choice.refused('the file')).toBe(false);
    expect(choice.refusal).toBeUndefined();
  });

  it('runs none where the file has all of it itself', () => {
    const choice = createVersionChoice(
      () => ONE,
      () => undefined,
    );
    choice.next();
    choice.accepted(false);
    expect(choice.runs).toBeUndefined();
  });
});
