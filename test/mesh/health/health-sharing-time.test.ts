import { setImmediate as nextTurn } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Backplane, BackplaneStatus } from '../../../src/mesh/backplane/backplane.ts';
import { createEmbeddedBackplane } from '../../../src/mesh/backplane/embedded/embedded-backplane.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { seeded } from '../balancing/endpoints.ts';
import { ManualTime } from '../backplane/manual-time.ts';
import {
  answer,
  answerMixed,
  endpointOf,
  SharingNodes,
  type SharingOptions,
} from './sharing-nodes.ts';

const IDS = ['a', 'b', 'c', 'd'];

let time: ManualTime;
let directory: string;
let backplane: Backplane;
let nodes: SharingNodes;
/** What the backplane was asked for and has not answered. */
let underWay: Set<Promise<unknown>>;
let asked: string[];
let status: BackplaneStatus | undefined;

beforeEach(async () => {
  time = new ManualTime();
  directory = await mkdtemp(join(tmpdir(), 'meshgate-sharing-'));
  const clock = { now: time.monotonic, monotonic: time.monotonic };
  const { schedule } = time;
  underWay = new Set();
  asked = [];
  status = undefined;
  backplane = watched(createEmbeddedBackplane({ directory, clock, log: SILENT, schedule }));
  await backplane.start();
});
afterEach(async () => {
  await nodes.stop();
  await backplane.close();
  await rm(directory, { recursive: true });
});

/** Notes what is under way, so that time stands still meanwhile. */
function watched(inner: Backplane): Backplane {
  return new Proxy(inner, {
    get(target, key: keyof Backplane) {
      if (key === 'status') return () => status ?? target.status();
      const method = target[key] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        asked.push(key);
        const result = method(...args);
        if (!(result instanceof Promise)) return result;
        underWay.add(result);
        return result.finally(() => underWay.delete(result));
      };
    },
  });
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    time.advance(50);
    do {
      for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    } while (underWay.size > 0);
  }
}

function start(options: Partial<SharingOptions> = {}): SharingNodes {
  const { monotonic, schedule } = time;
  const random = seeded(3);
  nodes = new SharingNodes([backplane], {
    endpoints: IDS,
    monotonic,
    schedule,
    random,
    ...options,
  });
  nodes.start();
  return nodes;
}

function factorsOf(id: string): number[] {
  return nodes.all.map((node) => endpointOf(node, id).factor);
}

it('moves a factor by a fifth every few seconds at most, on all nodes alike, and back slowly', async () => {
  const { all } = start();
  const history: number[] = [1];
  let seconds = 0;
  const serve = async (failures: number): Promise<void> => {
    for (const node of all) {
      for (const id of IDS) {
        answerMixed(node, id, { requests: 50, failures: id === 'a' ? failures : 0 });
      }
    }
    await pass(1000);
    seconds += 1;
    const now = factorsOf('a');
    expect(new Set(now).size).toBe(1);
    if (now[0] !== history.at(-1)) history.push(now[0]!);
  };
  while (history.at(-1)! > 0.1) await serve(20);
  for (const [index, factor] of history.slice(1).entries()) {
    expect(factor / history[index]!).toBeGreaterThanOrEqual(0.8 - 1e-9);
  }
  // Eleven steps, none sooner than 3.9 s after the one before.
  expect(history).toHaveLength(12);
  expect(seconds).toBeGreaterThan(38);
  expect(seconds).toBeLessThan(80);
  history.splice(0, history.length, 0.1);
  seconds = 0;
  while (history.at(-1)! < 1) await serve(0);
  expect(history.length).toBeGreaterThan(40);
  expect(seconds).toBeGreaterThan(160);
  expect(nodes.all[0]!.sharing.factors('orders')).toEqual([]);
}, 60_000);

it('does not believe a node that speaks ill of an endpoint', async () => {
  const { all } = start({ health: { outliers: undefined } });
  for (let second = 0; second < 30; second += 1) {
    for (const node of all) for (const id of IDS) answer(node, id, 200, 20);
    answer(all[0]!, 'a', 500, 2000);
    await pass(1000);
  }
  expect(factorsOf('a')).toEqual([1, 1, 1, 1, 1]);
});

it('leaves all as they are where all fail alike', async () => {
  const { all } = start({ health: { outliers: undefined } });
  for (let second = 0; second < 30; second += 1) {
    for (const node of all) for (const id of IDS) answer(node, id, 500, 20);
    await pass(1000);
  }
  for (const id of IDS) expect(factorsOf(id)).toEqual([1, 1, 1, 1, 1]);
});

it('lets go of what it took over when the nodes that said it are gone', async () => {
  const { all } = start();
  for (const node of all) answer(node, 'a', 200, 20);
  await pass(6000);
  for (const node of all.slice(0, 3)) answer(node, 'a', 500, 5);
  await pass(250);
  expect(all.map((node) => endpointOf(node, 'a').ejected)).toEqual([true, true, true, true, true]);
  await nodes.crash(all[0]!);
  await nodes.crash(all[1]!);
  await pass(6000);
  expect(all.slice(2).map((node) => endpointOf(node, 'a').ejected)).toEqual([true, false, false]);
});

it('hears of an ejection within 250 ms, and takes over a quorum’s in that time', async () => {
  const { all } = start();
  for (const node of all) answer(node, 'a', 200, 20);
  await pass(6000);
  answer(all[0]!, 'a', 500, 5);
  await pass(250);
  expect(factorsOf('a').slice(1)).toEqual([0.5, 0.5, 0.5, 0.5]);
  for (const node of all.slice(1, 3)) answer(node, 'a', 500, 5);
  await pass(250);
  expect(all.every((node) => endpointOf(node, 'a').ejected)).toBe(true);
});

it('knows better where its own check passes, until the others have changed their minds', async () => {
  const { all } = start();
  for (const node of all) answer(node, 'a', 200, 20);
  await pass(6000);
  for (const node of all.slice(0, 3)) answer(node, 'a', 500, 5);
  await pass(250);
  const [fourth] = [all[3]!];
  fourth.service.health.outliers!.onCheckPassed(endpointOf(fourth, 'a'));
  await pass(15_000);
  expect(endpointOf(fourth, 'a').ejected).toBe(false);
  expect(endpointOf(fourth, 'a').factor).toBe(0.5);
  expect(endpointOf(all[4]!, 'a').ejected).toBe(true);
  for (const node of all.slice(0, 3)) {
    node.service.health.outliers!.onCheckPassed(endpointOf(node, 'a'));
  }
  await pass(6000);
  expect(all.every((node) => !endpointOf(node, 'a').ejected)).toBe(true);
  for (const node of all.slice(0, 3)) answer(node, 'a', 500, 5);
  await pass(250);
  expect(endpointOf(fourth, 'a').ejected).toBe(true);
});

it('forgets what others said of ejections when it has not heard of them for a lease, and keeps the factors', async () => {
  const { all } = start();
  for (let second = 0; second < 12; second += 1) {
    for (const node of all) {
      for (const id of ['b', 'c', 'd']) answer(node, id, 200, 50);
      answerMixed(node, 'a', { requests: 50, failures: 20 });
    }
    await pass(1000);
  }
  const [before] = factorsOf('a');
  expect(before).toBeLessThan(1);
  for (const node of all.slice(0, 3)) answer(node, 'b', 500, 5);
  await pass(250);
  expect(endpointOf(all[4]!, 'b').ejectedByQuorum).toBe(true);
  status = { connected: false, sinceMs: 0, stalenessMs: 15_001 };
  await pass(6000);
  expect(endpointOf(all[4]!, 'b').ejected).toBe(false);
  expect(all.slice(0, 3).every((node) => endpointOf(node, 'b').ejected)).toBe(true);
  expect(endpointOf(all[4]!, 'a').factor).toBeLessThanOrEqual(before!);
});

it('asks the backplane for nothing where there is no traffic and nothing to tell', async () => {
  start();
  await pass(2000);
  asked.length = 0;
  await pass(30_000);
  expect(asked).toEqual([]);
});

it('writes no hints and no verdicts where it is alone', async () => {
  const { all } = start({ nodes: 1 });
  answer(all[0]!, 'a', 500, 5);
  expect(endpointOf(all[0]!, 'a').ejected).toBe(true);
  await pass(10_000);
  expect(asked).not.toContain('change');
});

it('weighs by its own observations where it is alone', async () => {
  const { all } = start({ nodes: 1 });
  for (let second = 0; second < 60; second += 1) {
    for (const id of ['b', 'c', 'd']) answer(all[0]!, id, 200, 50);
    answerMixed(all[0]!, 'a', { requests: 50, failures: 25 });
    await pass(1000);
  }
  expect(factorsOf('a')).toEqual([0.1]);
});
