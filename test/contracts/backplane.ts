/** The contract of a Backplane: what holds whichever store is behind it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backplane, ChangeOutcome, Mutation } from '../../src/mesh/backplane/backplane.ts';
import { idsOf, newSpace, watchSpace, type BackplanePair } from './backplane-fixture.ts';
import { describeLeases } from './backplane-leases.ts';

function put(id: string, more: Partial<Mutation & { type: 'put' }> = {}): Mutation {
  return { type: 'put', kind: 'inst', id, value: { port: 1 }, ...more };
}

function appliedOf(outcome: ChangeOutcome): ChangeOutcome & { applied: true } {
  if (!outcome.applied) throw new Error('the change was refused');
  return outcome;
}

async function generationOf(
  backplane: Backplane,
  space: string,
  mutation: Mutation,
): Promise<number> {
  return appliedOf(await backplane.change(space, [mutation])).generations[0]!;
}

export function describeBackplane(name: string, open: () => Promise<BackplanePair>): void {
  describe(`backplane contract: ${name}`, () => {
    let pair: BackplanePair;
    beforeAll(async () => {
      pair = await open();
    }, 60_000);
    afterAll(() => pair.close());
    const nodes = (): BackplanePair => pair;

    describeChanges(nodes);
    describeConditions(nodes);
    describeWatching(nodes);
    describeLeases(nodes);
  });
}

function describeChanges(nodes: () => BackplanePair): void {
  describe('changes', () => {
    it('gives back what another node put', async () => {
      const space = newSpace();
      const value = { text: 'a b\n"{}"\\ ü 🙂', list: [1, 2.5, null, true], nested: { deep: {} } };
      const generation = await generationOf(nodes().here, space, put('a', { value, owner: 'me' }));
      const view = await nodes().there.read(space);
      expect(view.records('inst').get('a')).toEqual({ id: 'a', generation, owner: 'me', value });
      expect(view.revision).toBe(1);
      expect(view.epoch).not.toBe('');
    });

    it('keeps kinds and spaces apart', async () => {
      const [one, other] = [newSpace(), newSpace()];
      await nodes().here.change(one, [put('a'), put('a', { kind: 'weight', value: 3 })]);
      await nodes().here.change(other, [put('b')]);
      const view = await nodes().there.read(one);
      expect([idsOf(view), idsOf(view, 'weight'), idsOf(view, 'hint')]).toEqual([['a'], ['a'], []]);
      expect(view.records('weight').get('a')?.value).toBe(3);
    });

    it('counts one revision a change, however many mutations it has', async () => {
      const space = newSpace();
      const first = appliedOf(await nodes().here.change(space, [put('a'), put('b'), put('c')]));
      const second = appliedOf(await nodes().there.change(space, [put('d')]));
      expect([first.revision, second.revision]).toEqual([1, 2]);
      expect(second.epoch).toBe(first.epoch);
    });

    it('gives each new registration a larger generation', async () => {
      const space = newSpace();
      const first = await generationOf(nodes().here, space, put('a', { owner: 'one' }));
      const second = await generationOf(nodes().there, space, put('a', { owner: 'two' }));
      await nodes().here.change(space, [{ type: 'remove', kind: 'inst', id: 'a' }]);
      const third = await generationOf(nodes().here, space, put('a', { owner: 'three' }));
      expect(second).toBeGreaterThan(first);
      expect(third).toBeGreaterThanOrEqual(second);
    });

    it('takes a repeated registration for the same one', async () => {
      const space = newSpace();
      const first = appliedOf(await nodes().here.change(space, [put('a', { owner: 'me' })]));
      const again = appliedOf(await nodes().here.change(space, [put('a', { owner: 'me' })]));
      expect(again).toEqual(first);
      const altered = put('a', { owner: 'me', value: { port: 2 } });
      const other = appliedOf(await nodes().here.change(space, [altered]));
      expect(other.generations).toEqual(first.generations);
      expect(other.revision).toBe(first.revision + 1);
    });

    it('makes no revision of removing what is not there', async () => {
      const space = newSpace();
      const { revision } = appliedOf(await nodes().here.change(space, [put('a')]));
      const removal = { type: 'remove', kind: 'inst', id: 'b' } as const;
      expect(appliedOf(await nodes().here.change(space, [removal])).revision).toBe(revision);
    });

    it('refuses names that no store could keep apart', async () => {
      const change = (space: string, mutation: Mutation): Promise<ChangeOutcome> =>
        nodes().here.change(space, [mutation]);
      await expect(change('a{b}', put('a'))).rejects.toThrow(TypeError);
      await expect(change('', put('a'))).rejects.toThrow(TypeError);
      await expect(change(newSpace(), put(''))).rejects.toThrow(TypeError);
      await expect(change(newSpace(), put('a', { owner: 'a b' }))).rejects.toThrow(TypeError);
      await expect(nodes().here.change(newSpace(), [put('a'), put('a')])).rejects.toThrow(
        TypeError,
      );
      await expect(nodes().here.change(newSpace(), [])).rejects.toThrow(TypeError);
    });
  });
}

function describeConditions(nodes: () => BackplanePair): void {
  describe('conditions', () => {
    it('lets one of many win what must be absent', async () => {
      const space = newSpace();
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          const node = index % 2 === 0 ? nodes().here : nodes().there;
          return node.change(space, [put('a', { value: index, when: { absent: true } })]);
        }),
      );
      const winners = outcomes.filter(({ applied }) => applied);
      expect(winners).toHaveLength(1);
      const stored = (await nodes().here.read(space)).records('inst').get('a');
      expect(outcomes[stored?.value as number]?.applied).toBe(true);
    });

    it('compares and sets by generation', async () => {
      const space = newSpace();
      const first = await generationOf(nodes().here, space, put('a'));
      const second = await generationOf(
        nodes().there,
        space,
        put('a', { value: 2, when: { generation: first } }),
      );
      const late = await nodes().here.change(space, [
        put('a', { value: 3, when: { generation: first } }),
      ]);
      expect(late).toEqual({ applied: false, mutation: 0, generation: second });
      expect((await nodes().here.read(space)).records('inst').get('a')?.value).toBe(2);
    });

    it('changes nothing when one condition fails', async () => {
      const space = newSpace();
      await nodes().here.change(space, [put('a')]);
      const before = await nodes().here.read(space);
      const outcome = await nodes().here.change(space, [
        put('b'),
        { type: 'remove', kind: 'inst', id: 'a' },
        put('c', { when: { generation: 5 } }),
      ]);
      expect(outcome).toEqual({ applied: false, mutation: 2, generation: 0 });
      const after = await nodes().here.read(space);
      expect([idsOf(after), after.revision]).toEqual([['a'], before.revision]);
    });

    it('lets a number of documents be written in order, each once', async () => {
      const space = newSpace();
      const append = async (node: Backplane): Promise<void> => {
        for (;;) {
          const head = (await node.read(space)).records('doc').get('head');
          const next = ((head?.value as number | undefined) ?? 0) + 1;
          const when =
            head === undefined ? { absent: true as const } : { generation: head.generation };
          const { applied } = await node.change(space, [
            put('head', { kind: 'doc', value: next, when }),
            put(`version-${next}`, { kind: 'doc', when: { absent: true } }),
          ]);
          if (applied) return;
        }
      };
      await Promise.all([nodes().here, nodes().there, nodes().here, nodes().there].map(append));
      expect(idsOf(await nodes().here.read(space), 'doc')).toEqual([
        'head',
        'version-1',
        'version-2',
        'version-3',
        'version-4',
      ]);
    });

    it('makes drain and removal by an older registration do nothing', async () => {
      const space = newSpace();
      const older = await generationOf(nodes().here, space, put('a', { owner: 'old' }));
      const newer = await generationOf(nodes().there, space, put('a', { owner: 'new' }));
      const fence = { owner: 'old', when: { notNewerThan: older } };
      const drain = await nodes().here.change(space, [put('a', { ...fence, value: 'draining' })]);
      const removal = await nodes().here.change(space, [
        { type: 'remove', kind: 'inst', id: 'a', ...fence },
      ]);
      const refused = { applied: false, mutation: 0, generation: newer };
      expect([drain, removal]).toEqual([refused, refused]);
      expect((await nodes().here.read(space)).records('inst').get('a')?.owner).toBe('new');
    });

    it('lets an owner have its way though it missed its own generation', async () => {
      const space = newSpace();
      await generationOf(nodes().here, space, put('a', { owner: 'me' }));
      const removal = { type: 'remove', kind: 'inst', id: 'a', owner: 'me' } as const;
      const outcome = await nodes().here.change(space, [{ ...removal, when: { notNewerThan: 0 } }]);
      expect(outcome.applied).toBe(true);
      expect(idsOf(await nodes().here.read(space))).toEqual([]);
    });
  });
}

function describeWatching(nodes: () => BackplanePair): void {
  describe('watching', () => {
    it('tells a space that nobody wrote to as empty and without an epoch', async () => {
      const watching = watchSpace(nodes().there, newSpace());
      const view = await watching.until(() => true);
      expect([view.epoch, view.revision, idsOf(view)]).toEqual(['', 0, []]);
      watching.stop();
    });

    it('tells what is there first, and then what another node changes', async () => {
      const space = newSpace();
      await nodes().here.change(space, [put('a')]);
      const watching = watchSpace(nodes().there, space);
      const first = await watching.until(() => true);
      expect([idsOf(first), first.continuous]).toEqual([['a'], false]);
      await nodes().here.change(space, [put('b')]);
      const second = await watching.until((view) => view.revision === 2);
      expect([idsOf(second), second.continuous]).toEqual([['a', 'b'], true]);
      await nodes().here.change(space, [{ type: 'remove', kind: 'inst', id: 'a' }]);
      const third = await watching.until((view) => view.revision === 3);
      expect([idsOf(third), third.continuous]).toEqual([['b'], true]);
      expect(idsOf(second)).toEqual(['a', 'b']);
      watching.stop();
    });

    it('tells many changes at once', async () => {
      const space = newSpace();
      await nodes().here.change(space, [put('first')]);
      const watching = watchSpace(nodes().there, space);
      await watching.until(() => true);
      const changes = Array.from({ length: 50 }, (_, index) => put(`n${index}`));
      await Promise.all(changes.map((mutation) => nodes().here.change(space, [mutation])));
      const last = await watching.until((view) => view.revision === 51);
      expect(idsOf(last)).toHaveLength(51);
      expect(watching.views.length).toBeLessThan(25);
      watching.stop();
    });

    it('tells a document of half a megabyte', async () => {
      const space = newSpace();
      await nodes().here.change(space, [put('a')]);
      const watching = watchSpace(nodes().there, space);
      await watching.until(() => true);
      const text = 'x'.repeat(500_000);
      await nodes().here.change(space, [put('a'), put('large', { kind: 'doc', value: text })]);
      await nodes().here.change(space, [put('b')]);
      const view = await watching.until(({ revision }) => revision === 3);
      expect(view.records('doc').get('large')?.value).toBe(text);
      expect([idsOf(view), view.continuous]).toEqual([['a', 'b'], true]);
      watching.stop();
    });

    it('tells each watcher from the beginning', async () => {
      const space = newSpace();
      await nodes().here.change(space, [put('a')]);
      const one = watchSpace(nodes().there, space);
      await one.until(() => true);
      const other = watchSpace(nodes().there, space);
      const view = await other.until(() => true);
      expect([idsOf(view), view.continuous]).toEqual([['a'], false]);
      expect(one.views).toHaveLength(1);
      one.stop();
      await nodes().here.change(space, [put('b')]);
      await other.until(({ revision }) => revision === 2);
      expect(one.views).toHaveLength(1);
      other.stop();
    });
  });
}
