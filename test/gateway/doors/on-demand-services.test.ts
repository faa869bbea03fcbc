/** Services that are found by name when they are called, and let go again. */
import { describe, expect, it } from 'vitest';
import { createUndeclaredServices } from '../../../src/gateway/config/mesh-service.ts';
import { createService } from '../../../src/gateway/config/create-service.ts';
import { OnDemandServices } from '../../../src/gateway/doors/on-demand-services.ts';
import type { Service } from '../../../src/mesh/service/service.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';

const undeclared = createUndeclaredServices();
const ignore = (): undefined => undefined;
const CELLS = { record: ignore, rateLimited: ignore, release: ignore };

interface Bench {
  readonly services: OnDemandServices;
  /** All that were made, in order. */
  readonly made: Service[];
  readonly names: () => string[];
  readonly sweep: (times: number) => void;
}

function create(maxServices?: number): Bench {
  const made: Service[] = [];
  const services = new OnDemandServices({
    toConfig: (name) => undeclared.discovered(name),
    createService(config) {
      const service = createService(config, {
        environment: {
          monotonic: () => performance.now(),
          now: Date.now,
          random: Math.random,
          zone: undefined,
          onRetry: ignore,
          onEjection: ignore,
          onHealthEvent: ignore,
        },
        log: SILENT,
        stickyKey: () => Buffer.alloc(32),
        meshSource: () => ({ start: ignore, stop: ignore }),
      });
      service.start();
      made.push(service);
      return service;
    },
    cellsOf: () => CELLS,
    route: 'mesh:outbound',
    onRemoved: ignore,
    onStopFailed: ignore,
    ...(maxServices !== undefined && { maxServices }),
  });
  return {
    services,
    made,
    names: () => services.services.map(({ name }) => name),
    sweep(times) {
      for (let i = 0; i < times; i++) services.sweep();
    },
  };
}

describe('services on demand', () => {
  it('are made once for a name, and not for what cannot be one', () => {
    const { services, names } = create();
    const match = services.find('orders.mesh');
    expect(match?.value.name).toBe('mesh:outbound');
    expect(services.find('orders.mesh')).toBe(match);
    for (const host of ['orders', 'mesh', '.mesh', 'a!.mesh', `${'a'.repeat(101)}.mesh`, '']) {
      expect(services.find(host)).toBeUndefined();
    }
    expect(names()).toEqual(['orders']);
  });

  it('have the defaults of a service that a file declares', () => {
    const config = undeclared.discovered('orders');
    expect(config).toMatchObject({
      name: 'orders',
      discover: { kind: 'mesh', service: 'orders' },
      protocol: 'auto',
      retry: { attempts: 1 },
      timeouts: { connectMs: 2000, responseMs: 15_000 },
    });
  });

  it('are let go after ten minutes without a call', () => {
    const { services, made, names, sweep } = create();
    services.find('orders.mesh');
    services.find('users.mesh');
    // The first sweep finds them called.
    sweep(10);
    expect(names()).toEqual(['orders', 'users']);
    services.find('users.mesh');
    sweep(1);
    expect(names()).toEqual(['users']);
    expect(made.map(({ isStopped }) => isStopped)).toEqual([true, false]);
    services.find('orders.mesh');
    expect(made.length).toBe(3);
  });

  it('stay while a call is in flight', () => {
    const { services, made, names, sweep } = create();
    services.find('orders.mesh');
    made[0]!.breaker.tryAcquire();
    sweep(30);
    expect(names()).toEqual(['orders']);
    made[0]!.breaker.release();
    sweep(10);
    expect(names()).toEqual([]);
  });

  it('are bounded: one more takes the place of the one that was idle for the longest time', () => {
    const { services, names, sweep } = create(3);
    for (const name of ['a', 'b', 'c']) services.find(`${name}.mesh`);
    sweep(2);
    services.find('a.mesh');
    services.find('c.mesh');
    sweep(1);
    services.find('d.mesh');
    expect(names()).toEqual(['a', 'c', 'd']);
  });

  it('refuse a name where all that are kept are busy', () => {
    const { services, made } = create(1);
    services.find('a.mesh');
    made[0]!.breaker.tryAcquire();
    expect(() => services.find('b.mesh')).toThrow(
      expect.objectContaining({ code: 'overloaded', status: 503 }),
    );
    made[0]!.release();
  });

  it('are 1,024 at most', () => {
    const { services } = create();
    for (let i = 0; i < 1100; i++) services.find(`service-${i}.mesh`);
    expect(services.services.length).toBe(1024);
  });

  it('are all let go when the node stops', async () => {
    const { services, made, names } = create();
    services.find('orders.mesh');
    await services.stop();
    expect([names(), made[0]!.isStopped]).toEqual([[], true]);
  });
});
