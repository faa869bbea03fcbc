/** The contract of a Backplane, continued: what has its time. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Backplane, Mutation, Put } from '../../src/mesh/backplane/backplane.ts';
import { idsOf, newSpace, watchSpace, type BackplanePair } from './backplane-fixture.ts';

const LONG_MS = 60_000;
const NO_REST = { restMs: 0, maxShare: 1 };

function leased(id: string, leaseMs: number): Put {
  return { type: 'put', kind: 'inst', id, value: null, owner: `owner-of-${id}`, leaseMs };
}

/** Until the store's own clock has moved past a lease of 1 ms. */
async function pass(backplane: Backplane): Promise<void> {
  const start = await backplane.timeMs();
  while ((await backplane.timeMs()) < start + 3) await wait(1);
}

export function describeLeases(nodes: () => BackplanePair): void {
  describe('leases', () => {
    it('renews for the owner, and tells others and strangers apart', async () => {
      const space = newSpace();
      await nodes().here.change(space, [leased('a', LONG_MS)]);
      const renew = (id: string, owner: string): Promise<string> =>
        nodes().here.renew(space, 'inst', id, { owner, leaseMs: LONG_MS });
      expect(await renew('a', 'owner-of-a')).toBe('renewed');
      expect(await renew('a', 'somebody')).toBe('superseded');
      expect(await renew('b', 'owner-of-b')).toBe('unknown');
    });

    it('expires what was not renewed, once, and tells the watchers', async () => {
      const space = newSpace();
      await nodes().here.change(space, [
        leased('dead', 1),
        leased('live', LONG_MS),
        leased('kept', 1),
      ]);
      await nodes().here.renew(space, 'inst', 'kept', { owner: 'owner-of-kept', leaseMs: LONG_MS });
      await pass(nodes().here);
      const watching = watchSpace(nodes().there, space);
      await watching.until(() => true);
      expect(await nodes().here.expire(space, 'inst', NO_REST)).toEqual(['dead']);
      expect(await nodes().there.expire(space, 'inst', NO_REST)).toEqual([]);
      const view = await watching.until(({ revision }) => revision === 2);
      expect([idsOf(view), view.continuous]).toEqual([['kept', 'live'], true]);
      watching.stop();
    });

    it('spares what is just being written again', async () => {
      const space = newSpace();
      const { here } = nodes();
      await here.change(space, [leased('dead', 1), leased('back', 1)]);
      await pass(here);
      const [, taken] = await Promise.all([
        here.change(space, [{ ...leased('back', LONG_MS), value: 'again' }]),
        here.expire(space, 'inst', NO_REST),
      ]);
      expect(taken).toEqual(['dead']);
      expect(idsOf(await here.read(space))).toEqual(['back']);
    });

    it('renews nothing that is just being taken', async () => {
      const space = newSpace();
      const { here } = nodes();
      await here.change(space, [leased('dead', 1)]);
      await pass(here);
      const [taken, renewal] = await Promise.all([
        here.expire(space, 'inst', NO_REST),
        here.renew(space, 'inst', 'dead', { owner: 'owner-of-dead', leaseMs: LONG_MS }),
      ]);
      expect([taken, renewal]).toEqual([['dead'], 'unknown']);
    });

    it('leaves records without a lease alone', async () => {
      const space = newSpace();
      const forever: Mutation = { type: 'put', kind: 'inst', id: 'forever', value: 1 };
      await nodes().here.change(space, [forever, leased('was', 1)]);
      await nodes().here.change(space, [{ ...forever, id: 'was', owner: 'owner-of-was' }]);
      await pass(nodes().here);
      expect(await nodes().here.expire(space, 'inst', NO_REST)).toEqual([]);
    });

    it('takes the share it may and no more, but always one', async () => {
      const [large, small] = [newSpace(), newSpace()];
      const dead = (count: number): Mutation[] =>
        Array.from({ length: count }, (_, index) => leased(`n${index}`, 1));
      await nodes().here.change(large, dead(40));
      await nodes().here.change(small, dead(3));
      await pass(nodes().here);
      const rules = { restMs: 0, maxShare: 0.15 };
      expect(await nodes().here.expire(large, 'inst', rules)).toHaveLength(6);
      expect(await nodes().here.expire(large, 'inst', rules)).toHaveLength(5); // 15% of 34
      expect(await nodes().here.expire(small, 'inst', rules)).toHaveLength(1);
    });

    it('forgets a space with its last record, where that is asked for', async () => {
      const space = newSpace();
      const { here, there } = nodes();
      await here.change(space, [leased('dead', 1), { ...leased('live', 1), kind: 'doc' }]);
      await pass(here);
      const rules = { ...NO_REST, forget: true };
      expect(await here.expire(space, 'inst', rules)).toEqual(['dead']);
      const { epoch, revision } = await there.read(space);
      expect([epoch === '', revision]).toEqual([false, 2]);
      expect(await there.expire(space, 'doc', rules)).toEqual(['live']);
      expect(await there.read(space)).toMatchObject({ epoch: '', revision: 0 });
      expect(await here.expire(space, 'doc', rules)).toEqual([]);
      expect(await there.read(space)).toMatchObject({ epoch: '', revision: 0 });
      await here.change(space, [leased('born', LONG_MS)]);
      const born = await there.read(space);
      expect([idsOf(born), born.revision]).toEqual([['born'], 1]);
    });

    it('rests after the beginning of an epoch', async () => {
      const space = newSpace();
      await nodes().here.change(space, [leased('dead', 1)]);
      await pass(nodes().here);
      const rules = { restMs: LONG_MS, maxShare: 1 };
      expect(await nodes().here.expire(space, 'inst', rules)).toEqual([]);
      expect(await nodes().here.expire(space, 'inst', NO_REST)).toEqual(['dead']);
    });
  });

  describe('reports, turns and time', () => {
    it('forgets reports by itself, and never tells of them', async () => {
      const space = newSpace();
      const { here, there } = nodes();
      const watching = watchSpace(there, space);
      await watching.until(() => true);
      await here.report(space, 'node-1', { requests: 3 }, LONG_MS);
      await here.report(space, 'node-2', 'gone soon', 1);
      await pass(here);
      expect(await there.reports(space)).toEqual([{ id: 'node-1', value: { requests: 3 } }]);
      await here.report(space, 'node-1', { requests: 4 }, LONG_MS);
      expect(await there.reports(space)).toEqual([{ id: 'node-1', value: { requests: 4 } }]);
      expect((await there.read(space)).revision).toBe(0);
      expect(watching.views).toHaveLength(1);
      watching.stop();
    });

    it('gives a turn to one node at a time', async () => {
      const name = newSpace();
      const asked = [nodes().here, nodes().there, nodes().here].map((node) =>
        node.takeTurn(name, LONG_MS),
      );
      expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1);
      const short = newSpace();
      expect(await nodes().here.takeTurn(short, 1)).toBe(true);
      await pass(nodes().here);
      expect(await nodes().there.takeTurn(short, 1)).toBe(true);
    });

    it('tells the time', async () => {
      const { here } = nodes();
      const [first, second] = [await here.timeMs(), await here.timeMs()];
      expect(second).toBeGreaterThanOrEqual(first);
      expect(Math.abs(first - Date.now())).toBeLessThan(60_000);
    });

    it('says that it is connected', () => {
      expect(nodes().here.status()).toMatchObject({ connected: true, stalenessMs: 0 });
    });
  });
}
