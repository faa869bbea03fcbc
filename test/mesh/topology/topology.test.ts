import { describe, expect, it } from 'vitest';
import type { Backplane } from '../../../src/mesh/backplane/backplane.ts';
import { createEmbeddedBackplane } from '../../../src/mesh/backplane/embedded/embedded-backplane.ts';
import { bucketOf, middleOf } from '../../../src/mesh/topology/latency-buckets.ts';
import {
  createTopologyPublisher,
  type TopologyPublisher,
} from '../../../src/mesh/topology/publisher.ts';
import { createTopologyRecorder, type EdgeRecorder } from '../../../src/mesh/topology/recorder.ts';
import { readReports, toEdges, type Edge } from '../../../src/mesh/topology/topology.ts';
import { CLOCK, SILENT } from '../../contracts/backplane-fixture.ts';
import { createFolder } from '../../gateway/config/config-file.ts';
import { EACH_BACKPLANE, usePair } from '../../redis/each-backplane.ts';
import { openEmbeddedPair } from '../../redis/open-backplane.ts';
import { ManualTime } from '../backplane/manual-time.ts';
import { settle } from '../registry/scripted-backplane.ts';

async function readTopology(backplane: Backplane): Promise<readonly Edge[]> {
  return toEdges(await readReports(backplane));
}

interface Node {
  readonly time: ManualTime;
  readonly publisher: TopologyPublisher;
  edgeTo(service: string): EdgeRecorder;
  /** Passes an interval of 5 s; resolves once the store has the report of it. */
  interval(): Promise<void>;
}

function startNode(backplane: Backplane, nodeId: string, source: string, random = 0.5): Node {
  const time = new ManualTime();
  const recorder = createTopologyRecorder();
  let told: Promise<unknown> = Promise.resolve();
  const publisher = createTopologyPublisher({
    backplane: {
      ...backplane,
      report: (...report) => {
        const telling = backplane.report(...report);
        told = telling;
        return telling;
      },
    },
    nodeId,
    source,
    recorder,
    monotonic: time.monotonic,
    random: () => random,
    log: SILENT,
    schedule: time.schedule,
  });
  publisher.start();
  return {
    time,
    publisher,
    edgeTo: (service) => recorder.edgeTo(service),
    async interval() {
      time.advance(time.delaysMs[0]!);
      await told.catch(() => undefined);
      await settle();
    },
  };
}

function call(edge: EdgeRecorder, times: number, ms: number, failed = false): void {
  for (let i = 0; i < times; i++) edge.record(ms, failed);
}

const about = (ms: number): number => middleOf(bucketOf(ms));

describe.each(EACH_BACKPLANE)('the topology on %s', (_, open) => {
  const pair = usePair(open);

  it('adds up what the nodes tell, to the number', async () => {
    const edge1 = startNode(pair.here, 'edge-1', 'gateway');
    const edge2 = startNode(pair.there, 'edge-2', 'gateway');
    const users1 = startNode(pair.there, 'users-1', 'users');
    expect(await readTopology(pair.here)).toEqual([]);

    // 100 calls in 5 s on one node and 25 on the other: 25 a second; 5 of 125 failed.
    call(edge1.edgeTo('orders'), 90, 10);
    call(edge1.edgeTo('orders'), 5, 10, true);
    call(edge1.edgeTo('orders'), 5, 20);
    call(edge2.edgeTo('orders'), 23, 10);
    call(edge2.edgeTo('orders'), 2, 800);
    call(edge2.edgeTo('users'), 5, 30);
    call(users1.edgeTo('orders'), 1, 7, true);
    for (const node of [edge1, edge2, users1]) await node.interval();

    expect(await readTopology(pair.here)).toEqual([
      {
        source: 'gateway',
        destination: 'orders',
        requestsPerSecond: 25,
        errorRatio: 0.04,
        p50Ms: about(10),
        // The 124th of 125.
        p99Ms: about(800),
        nodes: ['edge-1', 'edge-2'],
      },
      {
        source: 'gateway',
        destination: 'users',
        requestsPerSecond: 1,
        errorRatio: 0,
        p50Ms: about(30),
        p99Ms: about(30),
        nodes: ['edge-2'],
      },
      {
        source: 'users',
        destination: 'orders',
        requestsPerSecond: 0.2,
        errorRatio: 1,
        p50Ms: about(7),
        p99Ms: about(7),
        nodes: ['users-1'],
      },
    ]);
    await Promise.all([edge1, edge2, users1].map(({ publisher }) => publisher.stop()));
  });

  it('tells of the last interval alone, by its true length', async () => {
    const node = startNode(pair.here, 'edge-3', 'gateway', 1);
    call(node.edgeTo('orders'), 100, 10);
    await node.interval();
    call(node.edgeTo('orders'), 12, 40);
    expect(node.time.delaysMs).toEqual([6_000]);
    await node.interval();
    expect(await readTopology(pair.there)).toEqual([
      expect.objectContaining({ requestsPerSecond: 2, p50Ms: about(40) }),
    ]);
    await node.publisher.stop();
  });

  it('forgets a node that said goodbye', async () => {
    const node = startNode(pair.here, 'edge-4', 'gateway');
    call(node.edgeTo('orders'), 1, 10);
    await node.interval();
    expect((await readTopology(pair.there)).length).toBe(1);
    await node.publisher.stop();
    expect(await readTopology(pair.there)).toEqual([]);
    expect(node.time.delaysMs).toEqual([]);
  });
});

describe('an edge', () => {
  it('without calls is named for a minute more, and then no longer', async () => {
    const pair = await openEmbeddedPair();
    const node = startNode(pair.here, 'edge-1', 'gateway');
    call(node.edgeTo('orders'), 10, 10);
    await node.interval();
    for (let interval = 0; interval < 12; interval++) {
      await node.interval();
      expect(await readTopology(pair.here)).toEqual([
        {
          source: 'gateway',
          destination: 'orders',
          requestsPerSecond: 0,
          errorRatio: 0,
          p50Ms: undefined,
          p99Ms: undefined,
          nodes: ['edge-1'],
        },
      ]);
    }
    await node.interval();
    expect(await readTopology(pair.here)).toEqual([]);
    await node.publisher.stop();
    await pair.close();
  });

  it('is not counted from before the start', async () => {
    const pair = await openEmbeddedPair();
    const recorder = createTopologyRecorder();
    recorder.edgeTo('orders').record(1, false);
    const time = new ManualTime();
    const publisher = createTopologyPublisher({
      backplane: pair.here,
      nodeId: 'edge-1',
      source: 'gateway',
      recorder,
      monotonic: time.monotonic,
      random: () => 0.5,
      log: SILENT,
      schedule: time.schedule,
    });
    publisher.start();
    time.advance(5_000);
    await settle();
    expect(await readTopology(pair.here)).toEqual([]);
    await publisher.stop();
    await pair.close();
  });
});

describe('a node that died', () => {
  it('is no part of the topology 12.5 s after its last word', async () => {
    const time = new ManualTime();
    const backplane = createEmbeddedBackplane({
      directory: await createFolder(),
      clock: { now: CLOCK.now, monotonic: time.monotonic },
      log: SILENT,
      schedule: time.schedule,
    });
    await backplane.start();
    const node = startNode(backplane, 'edge-1', 'gateway');
    call(node.edgeTo('orders'), 1, 10);
    await node.interval();
    time.advance(12_499);
    expect((await readTopology(backplane)).length).toBe(1);
    time.advance(1);
    expect(await readTopology(backplane)).toEqual([]);
    await backplane.close();
  });
});

describe('a report that could not be told', () => {
  it('is lost, and the next one is of its own time', async () => {
    const pair = await openEmbeddedPair();
    let away = true;
    const node = startNode(
      {
        ...pair.here,
        report: async (...report) => {
          if (away) throw new Error('away');
          return pair.here.report(...report);
        },
      },
      'edge-1',
      'gateway',
    );
    call(node.edgeTo('orders'), 500, 10);
    await node.interval();
    expect(await readTopology(pair.here)).toEqual([]);
    away = false;
    call(node.edgeTo('orders'), 5, 10);
    await node.interval();
    expect(await readTopology(pair.here)).toMatchObject([{ requestsPerSecond: 1 }]);
    await node.publisher.stop();
    await pair.close();
  });
});
