import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDurable, writeDurable } from '../../../src/mesh/backplane/durable-file.ts';
import { createMeshSource, type MeshSource } from '../../../src/mesh/discovery/mesh.ts';
import type { EndpointSpec } from '../../../src/mesh/endpoint.ts';
import type { Instance } from '../../../src/mesh/registry/instance.ts';
import type { Override } from '../../../src/mesh/registry/override.ts';
import type { ServiceView } from '../../../src/mesh/registry/registry.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { until } from '../../redis/redis-sentinel.ts';
import { ManualTime } from '../backplane/manual-time.ts';

let directory: string;
let time: ManualTime;
let told: (readonly EndpointSpec[])[];
let hear: ((view: ServiceView) => void) | undefined;
let sources: MeshSource[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshgate-mesh-'));
  time = new ManualTime();
  told = [];
  hear = undefined;
  sources = [];
});

afterEach(async () => {
  for (const source of sources) source.stop();
  // A last write may be under way.
  await rm(directory, { recursive: true, maxRetries: 10 });
});

function open(onDisk = false): MeshSource {
  const source = createMeshSource({
    service: 'orders',
    registry: {
      watch(_, listener) {
        hear = listener;
        return () => (hear = undefined);
      },
    },
    directory: onDisk ? directory : undefined,
    log: SILENT,
    monotonic: time.monotonic,
    schedule: time.schedule,
  });
  sources.push(source);
  return source;
}

async function start(onDisk = false): Promise<MeshSource> {
  const source = open(onDisk);
  source.start((specs) => told.push(specs));
  await until(async () => hear !== undefined);
  return source;
}

function instance(id: string, more: Partial<Instance> = {}): Instance {
  return {
    service: 'orders',
    id,
    host: '10.0.0.1',
    port: 80,
    weight: 1,
    metadata: {},
    zone: undefined,
    priority: 0,
    node: undefined,
    draining: false,
    generation: 1,
    owner: 'first',
    ...more,
  };
}

function view(
  epoch: string,
  revision: number,
  instances: readonly Instance[],
  more: Partial<ServiceView> = {},
): ServiceView {
  return {
    service: 'orders',
    epoch,
    revision,
    continuous: revision > 1,
    instances,
    overrides: new Map<string, Override>(),
    ...more,
  };
}

function idsTold(): string[] {
  return told.map((specs) => specs.map(({ id }) => id).join(''));
}

describe('mesh discovery', () => {
  it('tells instances as endpoints, in order, with all they say of themselves', async () => {
    await start();
    hear!(
      view('e', 1, [
        instance('b', { weight: 2, zone: 'z', priority: 1, metadata: { version: 'v2' } }),
        instance('a', { draining: true }),
      ]),
    );
    expect(told).toEqual([
      [
        {
          id: 'a',
          host: '10.0.0.1',
          port: 80,
          weight: 1,
          metadata: {},
          incarnation: 'first',
          draining: true,
        },
        {
          id: 'b',
          host: '10.0.0.1',
          port: 80,
          weight: 2,
          metadata: { version: 'v2' },
          incarnation: 'first',
          zone: 'z',
          priority: 1,
        },
      ],
    ]);
  });

  it('puts what operators decided over what instances say', async () => {
    await start();
    const overrides = new Map([
      ['a', { weight: 7, drain: false }],
      ['b', { weight: undefined, drain: true }],
    ]);
    hear!(view('e', 1, [instance('a'), instance('b', { weight: 3 })], { overrides }));
    expect(told[0]).toMatchObject([
      { id: 'a', weight: 7 },
      { id: 'b', weight: 3, draining: true },
    ]);
    expect(told[0]![0]).not.toHaveProperty('draining');
  });

  it('is silent where nothing changed', async () => {
    await start();
    hear!(view('e', 1, [instance('a')]));
    hear!(view('e', 2, [instance('a')]));
    hear!(view('e', 3, []));
    expect(idsTold()).toEqual(['a']);
  });

  it('carries for a lease who is missing in a new epoch, and then drops them by itself', async () => {
    const source = await start();
    hear!(view('e', 1, [instance('a'), instance('b')]));
    hear!(view('f', 1, [instance('c')]));
    expect(idsTold()).toEqual(['ab', 'abc']);
    expect(source.status()).toMatchObject({ origin: 'backplane', epoch: 'f', carried: 2 });
    time.advance(15_000);
    expect(idsTold()).toEqual(['ab', 'abc']);
    time.advance(1);
    expect(idsTold()).toEqual(['ab', 'abc', 'c']);
    expect(time.delaysMs).toEqual([]);
  });

  it('saves what it knows, at most once a second, and once more when it stops', async () => {
    const source = await start(true);
    const saved = async (): Promise<string> => {
      const { text } = await readDurable(join(directory, 'orders.json'));
      return text === undefined
        ? ''
        : (JSON.parse(text) as { endpoints: EndpointSpec[] }).endpoints
            .map(({ id }) => id)
            .join('');
    };
    hear!(view('e', 1, [instance('a')]));
    hear!(view('e', 2, [instance('a'), instance('b')]));
    time.advance(999);
    expect(await saved()).toBe('');
    time.advance(1);
    await until(async () => (await saved()) === 'ab');
    hear!(view('e', 3, [instance('c')]));
    source.stop();
    await until(async () => (await saved()) === 'c');
  });

  it('waits a moment for the backplane, and then tells what the disk has', async () => {
    const first = await start(true);
    hear!(view('e', 1, [instance('a', { draining: true, zone: 'z' }), instance('b')]));
    first.stop();
    const before = told[0];
    told.length = 0;
    hear = undefined;
    await until(async () => (await readDurable(join(directory, 'orders.json'))).text !== undefined);
    const second = await start(true);
    time.advance(249);
    expect(told).toEqual([]);
    time.advance(1);
    expect(told).toEqual([before]);
    expect(second.status().origin).toBe('disk');
    hear!(view('e', 1, [instance('b')]));
    expect(idsTold()).toEqual(['ab', 'b']);
    expect(second.status().origin).toBe('backplane');
  });

  it('keeps to the disk when the registry began anew meanwhile', async () => {
    const first = await start(true);
    hear!(view('e', 1, [instance('a'), instance('b')]));
    first.stop();
    hear = undefined;
    told.length = 0;
    await until(async () => (await readDurable(join(directory, 'orders.json'))).text !== undefined);
    const second = await start(true);
    hear!(view('', 0, [], { continuous: false }));
    expect([idsTold(), second.status().origin]).toEqual([['ab'], 'disk']);
    hear!(view('f', 1, [instance('a', { port: 81 })], { continuous: true }));
    expect([idsTold(), told.at(-1)![0]!.port]).toEqual([['ab', 'ab'], 81]);
    time.advance(15_001);
    expect(idsTold().at(-1)).toBe('a');
  });

  it('does without a file that is damaged', async () => {
    await writeDurable(join(directory, 'orders.json'), 'x');
    await writeFile(join(directory, 'orders.json'), 'nonsense');
    await start(true);
    time.advance(1_000);
    expect(told).toEqual([]);
    hear!(view('e', 1, [instance('a')]));
    expect(idsTold()).toEqual(['a']);
  });

  it('hears nothing more once stopped, and can be started again', async () => {
    const source = await start();
    hear!(view('e', 1, [instance('a')]));
    source.stop();
    expect(hear).toBeUndefined();
    source.start((specs) => told.push(specs));
    await until(async () => hear !== undefined);
    hear!(view('e', 1, [instance('a')], { continuous: false }));
    expect(idsTold()).toEqual(['a', 'a']);
    expect(() => source.start(() => {})).toThrow(/already started/);
  });
});
