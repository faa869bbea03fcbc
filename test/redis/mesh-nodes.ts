/** Two nodes on one store: one registers instances, the other discovers them. */
import { once } from 'node:events';
import { EventEmitter } from 'node:events';
import type { EndpointSpec } from '../../src/mesh/endpoint.ts';
import { createMeshSource, type MeshSource } from '../../src/mesh/discovery/mesh.ts';
import { scheduleTimer, type Schedule } from '../../src/mesh/backplane/schedule.ts';
import type { RedisBackplane } from '../../src/mesh/backplane/redis/redis-backplane.ts';
import type { RedisTarget } from '../../src/mesh/backplane/redis/redis-target.ts';
import { Registration } from '../../src/mesh/registry/registration.ts';
import { createRegistry, type Registry } from '../../src/mesh/registry/registry.ts';
import { CLOCK, SILENT } from '../contracts/backplane-fixture.ts';
import { openRedisBackplane } from './open-backplane.ts';

const LAPSE = 10;

/** Heartbeats, polls and pings ten times as often; leases and the client's timeouts stay as they are. */
export const lapse: Schedule = (delayMs, run) => scheduleTimer(delayMs / LAPSE, run);

export interface MeshNodes {
  readonly provider: RedisBackplane;
  readonly caller: RedisBackplane;
  readonly registry: Registry;
  readonly registrations: readonly Registration[];
  readonly source: MeshSource;
  /** Every list that discovery told. */
  readonly told: readonly (readonly string[])[];
  /** Resolves at the first list, past ones included, that fits. */
  untilTold(
    fits: (ids: readonly string[], specs: readonly EndpointSpec[]) => boolean,
  ): Promise<void>;
  register(id: string): Promise<Registration>;
  close(): Promise<void>;
}

export const SERVICE = 'orders';
export const SPACE = `svc:${SERVICE}`;

export async function startNodes(
  target: RedisTarget,
  ids: readonly string[],
  directory?: string,
): Promise<MeshNodes> {
  const [provider, caller] = await Promise.all([
    openRedisBackplane(target, { schedule: lapse }),
    openRedisBackplane(target, { schedule: lapse }),
  ]);
  const registrations: Registration[] = [];
  const lists: (readonly EndpointSpec[])[] = [];
  const told: string[][] = [];
  const events = new EventEmitter();

  async function untilRegistered(registration: Registration): Promise<void> {
    while (registration.state !== 'registered') await once(events, 'state');
  }

  async function register(id: string): Promise<Registration> {
    const registration = new Registration({
      backplane: provider,
      service: SERVICE,
      instance: { id, host: '127.0.0.1', port: 1000 + registrations.length },
      monotonic: CLOCK.monotonic,
      random: Math.random,
      log: SILENT,
      schedule: lapse,
      onState: () => events.emit('state'),
    });
    registrations.push(registration);
    await registration.start();
    return registration;
  }

  for (const id of ids) await register(id);
  // They go on trying where the store was not reached in time; who discovers begins with them all.
  await Promise.all(registrations.map(untilRegistered));
  const registry = createRegistry(caller);
  const source = createMeshSource({
    service: SERVICE,
    registry,
    directory,
    log: SILENT,
    monotonic: CLOCK.monotonic,
    schedule: lapse,
  });
  source.start((specs) => {
    lists.push(specs);
    told.push(specs.map(({ id }) => id));
    events.emit('told');
  });

  return {
    provider,
    caller,
    registry,
    registrations,
    source,
    told,
    register,
    async untilTold(fits) {
      while (!lists.some((specs, index) => fits(told[index]!, specs))) await once(events, 'told');
    },
    async close() {
      source.stop();
      await Promise.all(registrations.map((registration) => registration.deregister()));
      await Promise.all([provider.close(), caller.close()]);
    },
  };
}

/** Resolves once the node is, or no longer is, connected. */
export async function untilConnected(backplane: RedisBackplane, connected = true): Promise<void> {
  await new Promise<void>((resolve) => {
    const check = (): void => {
      if (backplane.status().connected !== connected) return;
      stop();
      resolve();
    };
    const stop = backplane.onStatus(check);
    check();
  });
}

/** Resolves once the store has these instances, in any order. */
export async function untilStored(nodes: MeshNodes, ids: readonly string[]): Promise<void> {
  const wanted = ids.toSorted().join();
  await new Promise<void>((resolve) => {
    const stop = nodes.provider.watch(SPACE, (view) => {
      if ([...view.records('inst').keys()].toSorted().join() !== wanted) return;
      queueMicrotask(() => stop());
      resolve();
    });
  });
}
