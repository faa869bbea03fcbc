import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backplane, Mutation } from '../../../src/mesh/backplane/backplane.ts';
import { createEmbeddedBackplane } from '../../../src/mesh/backplane/embedded/embedded-backplane.ts';
import type { Log } from '../../../src/plugins/sdk/plugin-context.ts';
import { idsOf, SILENT, watchSpace } from '../../contracts/backplane-fixture.ts';
import { ManualTime } from './manual-time.ts';

const SPACE = 'svc:orders';
const FILE = 'svc+orders.json';

let directory: string;
let time: ManualTime;
let open: Backplane[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshgate-embedded-'));
  time = new ManualTime();
  open = [];
});

afterEach(async () => {
  await Promise.all(open.map((backplane) => backplane.close()));
  await rm(directory, { recursive: true });
});

async function start(log: Log = SILENT): Promise<Backplane> {
  const clock = { now: () => 5_000, monotonic: time.monotonic };
  const backplane = createEmbeddedBackplane({ directory, clock, log });
  open.push(backplane);
  await backplane.start();
  return backplane;
}

function put(id: string, leaseMs?: number): Mutation {
  return { type: 'put', kind: 'inst', id, value: { id }, owner: 'me', leaseMs };
}

describe('the embedded backplane', () => {
  it('has after a restart what was acknowledged before, and goes on counting', async () => {
    const before = await start();
    await before.change(SPACE, [put('a')]);
    const last = await before.change(SPACE, [put('b')]);
    // No close: the process was killed.
    const after = await start();
    const view = await after.read(SPACE);
    expect([idsOf(view), view.revision]).toEqual([['a', 'b'], 2]);
    expect(view.epoch).toBe((await before.read(SPACE)).epoch);
    expect(view.records('inst').get('b')?.generation).toBe(last.applied && last.generations[0]);
    const next = await after.change(SPACE, [{ ...put('b'), owner: 'another' }]);
    expect(next).toMatchObject({ revision: 3 });
    expect(next.applied && next.generations[0]).toBeGreaterThan(
      (last.applied && last.generations[0]) || 0,
    );
  });

  it('gives every lease its full time after a restart, and rests as long as it is told', async () => {
    const before = await start();
    await before.change(SPACE, [put('a', 15_000)]);
    time.advance(14_999);
    const after = await start();
    time.advance(14_999);
    expect(await after.expire(SPACE, 'inst', { maxShare: 1, restMs: 0 })).toEqual([]);
    time.advance(1);
    expect(await after.expire(SPACE, 'inst', { maxShare: 1, restMs: 15_001 })).toEqual([]);
    expect(await after.expire(SPACE, 'inst', { maxShare: 1, restMs: 15_000 })).toEqual(['a']);
  });

  it('leaves no file of a space that it forgot', async () => {
    const before = await start();
    await before.change(SPACE, [put('a', 1)]);
    await before.change(SPACE, [put('b', 1)]);
    await before.change('svc:other', [put('a', 1)]);
    time.advance(1);
    await before.expire(SPACE, 'inst', { maxShare: 1, restMs: 0, forget: true });
    expect(await readdir(directory)).toEqual(['svc+other.json']);
    const after = await start();
    expect((await after.read(SPACE)).revision).toBe(0);
  });

  it('uses the generation before a damaged one, in a new epoch, and says so', async () => {
    const before = await start();
    await before.change(SPACE, [put('a')]);
    await before.change(SPACE, [put('b')]);
    const { epoch } = await before.read(SPACE);
    const file = join(directory, FILE);
    await truncate(file, (await readFile(file)).length - 5);
    const errors: object[] = [];
    const after = await start({ ...SILENT, error: (fields) => errors.push(fields) });
    const view = await after.read(SPACE);
    expect([idsOf(view), view.revision]).toEqual([['a'], 1]);
    expect(view.epoch).not.toBe(epoch);
    expect(errors).toEqual([
      { space: SPACE, damaged: [`${file}.damaged`], kept: 'the generation before' },
    ]);
  });

  it('starts empty, and keeps the files, when no generation is whole', async () => {
    await writeFile(join(directory, FILE), 'not ours');
    const backplane = await start();
    expect(idsOf(await backplane.read(SPACE))).toEqual([]);
    expect(await readdir(directory)).toEqual([`${FILE}.damaged`]);
  });

  it('writes changes that come together once', async () => {
    const backplane = await start();
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) => backplane.change(SPACE, [put(`n${index}`)])),
    );
    expect(outcomes.map((outcome) => outcome.applied && outcome.revision)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    // Of a hundred writes one after the other, the generation before would lack one record.
    const previous = await readFile(join(directory, `${FILE}.previous`), 'utf8');
    expect(previous).toContain('"n0"');
    expect(previous).not.toContain('"n50"');
  });

  it('refuses a change that cannot be saved, and has not made it', async () => {
    const backplane = await start();
    await backplane.change(SPACE, [put('a')]);
    const watching = watchSpace(backplane, SPACE);
    await watching.until(() => true);
    const inTheWay = join(directory, `${FILE}.${process.pid}.tmp`, 'x');
    await mkdir(inTheWay, { recursive: true });
    const refusal = { name: 'BackplaneError', code: 'refused' };
    await expect(backplane.change(SPACE, [put('b')])).rejects.toMatchObject(refusal);
    expect(idsOf(await backplane.read(SPACE))).toEqual(['a']);
    await rm(join(inTheWay, '..'), { recursive: true });
    expect(await backplane.change(SPACE, [put('c')])).toMatchObject({ revision: 2 });
    expect(idsOf(await watching.until(({ revision }) => revision === 2))).toEqual(['a', 'c']);
    watching.stop();
  });

  it('tells those who watched before it was started', async () => {
    await (await start()).change(SPACE, [put('a')]);
    const backplane = createEmbeddedBackplane({
      directory,
      clock: { now: Date.now, monotonic: time.monotonic },
      log: SILENT,
    });
    open.push(backplane);
    const watching = watchSpace(backplane, SPACE);
    expect(backplane.status().connected).toBe(false);
    await backplane.start();
    expect(idsOf(await watching.until(() => true))).toEqual(['a']);
    watching.stop();
  });

  it('is closed to questions before its start and after its end', async () => {
    const clock = { now: Date.now, monotonic: time.monotonic };
    const backplane = createEmbeddedBackplane({ directory, clock, log: SILENT });
    const closed = { name: 'BackplaneError', code: 'closed' };
    await expect(backplane.read(SPACE)).rejects.toMatchObject(closed);
    await backplane.start();
    const last = backplane.change(SPACE, [put('a')]);
    await backplane.close();
    expect((await last).applied).toBe(true);
    await expect(backplane.change(SPACE, [put('b')])).rejects.toMatchObject(closed);
    expect(backplane.status().connected).toBe(false);
  });
});
