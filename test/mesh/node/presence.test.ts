import { beforeEach, describe, expect, it } from 'vitest';
import type { Backplane } from '../../../src/mesh/backplane/backplane.ts';
import { createEmbeddedBackplane } from '../../../src/mesh/backplane/embedded/embedded-backplane.ts';
import { createPresence, type Presence } from '../../../src/mesh/node/presence.ts';
import { CLOCK, SILENT } from '../../contracts/backplane-fixture.ts';
import { createFolder } from '../../gateway/config/config-file.ts';
import { ManualTime } from '../backplane/manual-time.ts';
import { settle } from '../registry/scripted-backplane.ts';

let time: ManualTime;
let backplane: Backplane;

beforeEach(async () => {
  time = new ManualTime();
  const clock = { now: CLOCK.now, monotonic: time.monotonic };
  const directory = await createFolder();
  backplane = createEmbeddedBackplane({ directory, clock, log: SILENT, schedule: time.schedule });
  await backplane.start();
  return () => backplane.close();
});

function create(nodeId: string, on: Backplane = backplane): Presence {
  return createPresence({
    backplane: on,
    nodeId,
    describe: () => ({ name: nodeId }),
    monotonic: time.monotonic,
    random: () => 0.5,
    log: SILENT,
    schedule: time.schedule,
  });
}

async function pass(ms: number): Promise<void> {
  time.advance(ms);
  await settle();
}

describe('the presence of a node', () => {
  it('knows itself before it has heard of anybody', () => {
    expect(create('b').nodes).toEqual(['b']);
  });

  it('hears of the others within a heartbeat', async () => {
    const [b, a] = [create('b'), create('a')];
    await b.start();
    await a.start();
    expect(a.nodes).toEqual(['a', 'b']);
    expect(b.nodes).toEqual(['b']);
    await pass(5_000);
    expect(b.nodes).toEqual(['a', 'b']);
  });

  it('tells what describes the node', async () => {
    await create('a').start();
    expect(await backplane.reports('nodes')).toEqual([{ id: 'a', value: { name: 'a' } }]);
  });

  it('forgets a node that said goodbye at once, and one that fell silent after its lease', async () => {
    const [a, b, c] = [create('a'), create('b'), create('c')];
    for (const node of [a, b, c]) await node.start();
    await b.stop();
    await pass(5_000);
    expect(a.nodes).toEqual(['a', 'c']);
    // As a process that was killed.
    await c.stop();
    await backplane.report('nodes', 'c', { name: 'c' }, 15_000);
    await pass(5_000);
    expect(a.nodes).toEqual(['a', 'c']);
    await pass(15_000);
    expect(a.nodes).toEqual(['a']);
  });

  it('keeps to what it last heard while the backplane is away, and goes on trying', async () => {
    let isAway = false;
    const away: Backplane = {
      ...backplane,
      report: (...args) => (isAway ? Promise.reject(new Error('away')) : backplane.report(...args)),
    };
    const a = create('a', away);
    await create('b').start();
    await a.start();
    isAway = true;
    await pass(60_000);
    expect(a.nodes).toEqual(['a', 'b']);
    isAway = false;
    await create('d').start();
    await pass(6_000);
    expect(a.nodes).toContain('d');
  });

  it('is told at once where it has changed, and goes on as before', async () => {
    let version = 1;
    const a = createPresence({
      backplane,
      nodeId: 'a',
      describe: () => ({ version }),
      monotonic: time.monotonic,
      random: () => 0.5,
      log: SILENT,
      schedule: time.schedule,
    });
    await a.start();
    version = 2;
    await Promise.all([a.announce(), a.announce()]);
    expect(await backplane.reports('nodes')).toEqual([{ id: 'a', value: { version: 2 } }]);
    expect(time.delaysMs).toEqual([5_000]);
    await a.stop();
    await a.announce();
    expect(time.delaysMs).toEqual([]);
    expect(await backplane.reports('nodes')).toEqual([{ id: 'a', value: null }]);
  });
});

describe('a node that fell silent', () => {
  async function startThree(): Promise<Presence[]> {
    const nodes = ['a', 'b', 'c'].map((id) => create(id));
    for (const node of nodes) await node.start();
    await pass(5_000);
    return nodes;
  }

  /** As a process that was killed: it says nothing more, and no goodbye. */
  async function kill(node: Presence, id: string): Promise<void> {
    await node.stop();
    await backplane.report('nodes', id, { name: id }, 15_000);
  }

  it('is lost for ten minutes; one that said goodbye is not', async () => {
    const [a, b, c] = await startThree();
    await b!.stop();
    await kill(c!, 'c');
    for (let s = 0; s < 20; s += 5) await pass(5_000);
    expect([a!.nodes, a!.lost]).toEqual([['a'], ['c']]);
    for (let s = 0; s < 590; s += 5) await pass(5_000);
    expect(a!.lost).toEqual(['c']);
    for (let s = 0; s < 10; s += 5) await pass(5_000);
    expect(a!.lost).toEqual([]);
  });

  it('is lost no more once it is back', async () => {
    const [a, , c] = await startThree();
    await kill(c!, 'c');
    for (let s = 0; s < 20; s += 5) await pass(5_000);
    expect(a!.lost).toEqual(['c']);
    await create('c').start();
    await pass(5_000);
    expect([a!.nodes, a!.lost]).toEqual([['a', 'b', 'c'], []]);
  });
});
