/** When keys are loaded, and what happens when they cannot be. */
import { beforeAll, describe, expect, it } from 'vitest';
import { JwksSource } from '../../../src/plugins/jwt/jwks-source.ts';
import { createTestContext } from '../fixtures.ts';
import { createSigningKey, keySet, type SigningKey } from './issuer.ts';

let key: SigningKey;
let other: SigningKey;
beforeAll(async () => {
  key = await createSigningKey('ES256', 'one');
  other = await createSigningKey('ES256', 'two');
});

function createSource(random = 0.5) {
  const { clock, log, lines } = createTestContext();
  const loads: { resolve: (document: unknown) => void; reject: (error: Error) => void }[] = [];
  const source = new JwksSource({
    location: 'https://id.example.com/jwks.json',
    load: () =>
      new Promise((resolve, reject) => {
        loads.push({ resolve, reject });
      }),
    maxAgeMs: 600_000,
    cooldownMs: 30_000,
    clock,
    random: () => random,
    log,
  });
  const loadWith = async (document: unknown) => {
    const done = source.refresh();
    loads.at(-1)!.resolve(document);
    await done;
  };
  const failWith = async (message: string) => {
    const done = source.refresh();
    loads.at(-1)!.reject(new Error(message));
    await done;
  };
  return { source, clock, lines, loads, loadWith, failWith };
}

describe('a key source', () => {
  it('joins loads that are asked for at the same time', async () => {
    const { source, loads } = createSource();
    const first = source.refresh();
    expect(source.refresh()).toBe(first);
    loads[0]!.resolve(keySet([key]));
    await first;
    expect(loads).toHaveLength(1);
    expect(source.isCurrent()).toBe(true);
  });

  it('loads in the background between 70% and 90% of its age, staying current', async () => {
    for (const [random, dueMs] of [
      [0, 420_000],
      [0.5, 480_000],
      [1, 540_000],
    ] as const) {
      const { source, clock, loads, loadWith } = createSource(random);
      await loadWith(keySet([key]));
      clock.advance(dueMs - 1);
      expect(source.isCurrent()).toBe(true);
      expect(loads).toHaveLength(1);
      clock.advance(1);
      expect(source.isCurrent()).toBe(true);
      expect(loads).toHaveLength(2);
    }
  });

  it('is not current past its age after a quiet time, since a key may have been withdrawn', async () => {
    const { source, clock, loads, loadWith } = createSource();
    await loadWith(keySet([key]));
    clock.advance(600_000);
    expect(source.isCurrent()).toBe(false);
    loads[1]!.resolve(keySet([key]));
    await source.refresh();
    expect(source.isCurrent()).toBe(true);
  });

  it('stays current past its age where the issuer fails, and lets nobody wait', async () => {
    const { source, clock, loadWith, failWith } = createSource();
    await loadWith(keySet([key]));
    clock.advance(600_000);
    await failWith('connection refused');
    expect(source.isCurrent()).toBe(true);
    clock.advance(86_400_000);
    expect(source.isCurrent()).toBe(true);
    expect(source.keys?.keys).toHaveLength(1);
  });

  it('tries again after 1, 2, 4 … seconds, and at most the cooldown', async () => {
    const { source, clock, failWith } = createSource();
    for (const delayMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      await failWith('connection refused');
      clock.advance(delayMs - 1);
      expect(source.refresh()).toBeUndefined();
      clock.advance(1);
    }
    expect(source.refresh()).toBeInstanceOf(Promise);
  });

  it('rests for the cooldown after a success', async () => {
    const { source, clock, loadWith } = createSource();
    await loadWith(keySet([key]));
    clock.advance(29_999);
    expect(source.refresh()).toBeUndefined();
    clock.advance(1);
    expect(source.refresh()).toBeInstanceOf(Promise);
  });

  it('changes its version with the keys, and only then', async () => {
    const { source, clock, loadWith } = createSource();
    await loadWith(keySet([key]));
    const { version } = source;
    clock.advance(30_000);
    await loadWith(keySet([key]));
    expect(source.version).toBe(version);
    clock.advance(30_000);
    await loadWith(keySet([key, other]));
    expect(source.version).not.toBe(version);
  });

  it.each([
    [null],
    ['text'],
    [{ keys: 'x' }],
    [{ keys: [] }],
    [{ keys: [{ kty: 'oct', k: 'AAAA' }] }],
  ])('takes %j for a failure and keeps what it has', async (document) => {
    const { source, clock, lines, loadWith } = createSource();
    await loadWith(keySet([key]));
    clock.advance(30_000);
    await loadWith(document);
    expect(source.keys?.keys).toHaveLength(1);
    expect(lines.at(-1)).toMatchObject({ level: 'warn', fields: { kept: 1, failures: 1 } });
  });

  it('survives a loader that throws at once', async () => {
    const { clock, log } = createTestContext();
    const source = new JwksSource({
      location: 'x',
      load: () => {
        throw new Error('no network');
      },
      maxAgeMs: 600_000,
      cooldownMs: 30_000,
      clock,
      random: () => 0,
      log,
    });
    await source.refresh();
    clock.advance(1000);
    const again = source.refresh();
    expect(again).toBeInstanceOf(Promise);
    await again;
  });
});
