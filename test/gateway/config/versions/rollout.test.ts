import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createRollout,
  NODES_SPACE,
  type Rollout,
} from '../../../../src/gateway/config/versions/rollout.ts';
import { SILENT, type BackplanePair } from '../../../contracts/backplane-fixture.ts';
import { ManualTime } from '../../../mesh/backplane/manual-time.ts';
import { openEmbeddedPair, openRedisPair } from '../../../redis/open-backplane.ts';

describeRollout('embedded', openEmbeddedPair);
describeRollout('Redis', () => openRedisPair('single'));

const ONE = { version: 1, hash: 'one' };
const TWO = { version: 2, hash: 'two' };
const AT = '1970-01-01T00:00:01.000Z';

function describeRollout(name: string, open: () => Promise<BackplanePair>): void {
  describe(`rollout: ${name}`, () => {
    let pair: BackplanePair;
    let rollouts: Rollout[] = [];
    beforeAll(async () => {
      pair = await open();
    }, 60_000);
    afterAll(() => pair.close());
    afterEach(async () => {
      await Promise.all(rollouts.map((rollout) => rollout.stop()));
      rollouts = [];
    });

    function start(nodeName: string, backplane = pair.here, time = new ManualTime()): Rollout {
      const options = { now: () => 1_000, random: () => 0.5, log: SILENT, schedule: time.schedule };
      const rollout = createRollout({ backplane, nodeName, ...options });
      rollouts.push(rollout);
      return rollout;
    }

    /** What nodes say once they say so much, of that version. */
    async function untilTold(
      rollout: Rollout,
      count: number,
      version = TWO.version,
    ): ReturnType<Rollout['nodes']> {
      for (;;) {
        const nodes = await rollout.nodes();
        if (nodes.length === count && nodes.every((node) => node.version === version)) return nodes;
        await new Promise((next) => setTimeout(next, 5));
      }
    }

    it('shows on each node what all of them run, and why one does not', async () => {
      const [b, a] = [start('b'), start('a', pair.there)];
      expect(await a.nodes()).toEqual([]);
      a.applied(ONE);
      a.applied(TWO);
      b.refused(TWO, 'version 2:3:1 routes[0]: no', ONE);
      expect(await untilTold(b, 2)).toEqual([
        { node: 'a', ...TWO, state: 'applied', at: AT },
        {
          node: 'b',
          ...TWO,
          state: 'refused',
          reason: 'version 2:3:1 routes[0]: no',
          at: AT,
          runs: ONE,
        },
      ]);
      b.none();
      expect(await untilTold(b, 1)).toMatchObject([{ node: 'a' }]);
      await a.stop();
      expect(await untilTold(b, 0)).toEqual([]);
    });

    it('says it again every few seconds, and what it could not say as soon as it can', async () => {
      const time = new ManualTime();
      const told: unknown[] = [];
      let isDown = false;
      const backplane = Object.assign(Object.create(pair.here) as typeof pair.here, {
        report: async (space: string, id: string, value: never, leaseMs: number) => {
          if (isDown) throw new Error('down');
          told.push(value);
          return pair.here.report(space, id, value, leaseMs);
        },
      });
      const rollout = start('c', backplane, time);
      const settled = async (count: number): Promise<void> => {
        while (told.length < count || time.delaysMs.length === 0) {
          await new Promise((next) => setTimeout(next, 1));
        }
      };
      rollout.applied(ONE);
      await settled(1);
      expect(time.delaysMs).toEqual([5_000]);
      time.advance(5_000);
      await settled(2);
      isDown = true;
      rollout.applied(TWO);
      while (time.delaysMs[0] !== 50) await new Promise((next) => setTimeout(next, 1));
      isDown = false;
      time.advance(50);
      await settled(3);
      expect(told.at(-1)).toMatchObject(TWO);
    });

    it('passes over what is no report', async () => {
      await pair.here.report(NODES_SPACE, 'odd', { version: 'x' }, 60_000);
      await pair.here.report(NODES_SPACE, 'older', 'text', 60_000);
      expect(await start('d').nodes()).toEqual([]);
      for (const id of ['odd', 'older']) await pair.here.report(NODES_SPACE, id, null, 1);
    });
  });
}
