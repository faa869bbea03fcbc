/** What holds of the registry on every backplane. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Backplane } from '../../src/mesh/backplane/backplane.ts';
import type { InstanceSpec } from '../../src/mesh/registry/instance.ts';
import { Registration, type RegistrationState } from '../../src/mesh/registry/registration.ts';
import {
  createRegistry,
  type Registry,
  type ServiceView,
} from '../../src/mesh/registry/registry.ts';
import { CLOCK, SILENT, type BackplanePair } from './backplane-fixture.ts';

export function describeRegistry(name: string, open: () => Promise<BackplanePair>): void {
  describe(`registry: ${name}`, () => {
    let pair: BackplanePair;
    let here: Registry;
    let there: Registry;
    let service: string;
    let registrations: Registration[];
    const states: RegistrationState[] = [];

    beforeAll(async () => {
      pair = await open();
      here = createRegistry(pair.here);
      there = createRegistry(pair.there);
    }, 60_000);
    afterAll(() => pair.close());
    beforeEach(() => {
      service = `s-${randomUUID().slice(0, 8)}`;
      registrations = [];
      states.length = 0;
    });
    afterEach(() => Promise.all(registrations.map((registration) => registration.deregister())));

    function register(instance: InstanceSpec, backplane: Backplane = pair.here): Registration {
      const registration = new Registration({
        backplane,
        service,
        instance,
        monotonic: CLOCK.monotonic,
        random: Math.random,
        log: SILENT,
        onState: (state) => states.push(state),
      });
      registrations.push(registration);
      return registration;
    }

    async function idsThere(): Promise<string[]> {
      return (await there.query({ service })).map(({ id }) => id);
    }

    it('finds on one node what registered on another', async () => {
      const metadata = { version: 'v2.1.0', zone: 'eu-1a' };
      const one = register({
        id: 'a',
        host: '10.0.0.1',
        port: 80,
        weight: 2,
        metadata,
        node: 'n1',
      });
      expect(await one.start()).toBe(true);
      expect(await there.query({ service })).toEqual([
        {
          service,
          id: 'a',
          host: '10.0.0.1',
          port: 80,
          weight: 2,
          metadata,
          zone: 'eu-1a',
          priority: 0,
          node: 'n1',
          draining: false,
          generation: one.generation,
          owner: expect.stringMatching(/./) as string,
        },
      ]);
      expect(await there.services()).toContain(service);
      expect(states).toEqual(['registered']);
    });

    it('answers by attributes', async () => {
      const versions = ['v1.4.0', 'v2.0.0', 'v2.3.0'];
      const instances = versions.map((version, index) => {
        return {
          id: version,
          host: 'h',
          port: index + 1,
          metadata: { version, zone: `z${index % 2}` },
        };
      });
      await Promise.all(instances.map((instance) => register(instance).start()));
      const ids = async (where: Parameters<Registry['query']>[0]['where']): Promise<string[]> =>
        (await there.query({ service, where })).map(({ id }) => id);
      expect(await ids({ version: { range: '^2' } })).toEqual(['v2.0.0', 'v2.3.0']);
      expect(await ids({ version: { range: '^2' }, zone: 'z0' })).toEqual(['v2.3.0']);
      expect(await ids({ version: { in: ['v1.4.0', 'v9'] } })).toEqual(['v1.4.0']);
    });

    it('drains before it goes', async () => {
      const one = register({ id: 'a', host: 'h', port: 1 });
      await one.start();
      expect(await one.drain()).toBe(true);
      expect(await idsThere()).toEqual([]);
      const [draining] = await there.query({ service, includeDraining: true });
      expect(draining).toMatchObject({ id: 'a', draining: true });
      expect(await one.resume()).toBe(true);
      expect(await idsThere()).toEqual(['a']);
      expect(await one.deregister()).toBe(true);
      expect(await there.query({ service, includeDraining: true })).toEqual([]);
      expect(one.state).toBe('ended');
    });

    it('tells watchers of all of it', async () => {
      const views: ServiceView[] = [];
      let wake = (): void => {};
      const stop = there.watch({ service, where: { version: { range: '>=2' } } }, (view) => {
        views.push(view);
        wake();
      });
      const until = async (...ids: string[]): Promise<ServiceView> => {
        for (;;) {
          const last = views.at(-1);
          if (last !== undefined && last.instances.map(({ id }) => id).join() === ids.join())
            return last;
          await new Promise<void>((resolve) => (wake = resolve));
        }
      };
      await until();
      const old = register({ id: 'old', host: 'h', port: 1, metadata: { version: '1.0.0' } });
      const young = register({ id: 'young', host: 'h', port: 2, metadata: { version: '2.0.0' } });
      await old.start();
      await young.start();
      await until('young');
      await old.update({ id: 'ignored', host: 'h', port: 1, metadata: { version: '3.0.0' } });
      await until('old', 'young');
      await young.drain();
      const last = await until('old');
      expect(last.continuous).toBe(true);
      stop();
    });

    it('ends a registration that another took the id of, and lets it do no harm', async () => {
      const first = register({ id: 'a', host: 'first', port: 1 });
      await first.start();
      const second = register({ id: 'a', host: 'second', port: 2 }, pair.there);
      await second.start();
      expect(await first.drain()).toBe(false);
      expect(first.state).toBe('superseded');
      expect(await first.deregister()).toBe(false);
      expect(await there.query({ service })).toMatchObject([{ host: 'second', draining: false }]);
      expect(second.generation).toBeGreaterThan(first.generation!);
    });

    it('keeps what operators decide until they take it back', async () => {
      await register({ id: 'a', host: 'h', port: 1 }).start();
      expect(await here.override(service, 'a', { weight: 5 })).toEqual({ weight: 5, drain: false });
      expect(await there.override(service, 'a', { drain: true })).toEqual({
        weight: 5,
        drain: true,
      });
      expect(await idsThere()).toEqual([]);
      const [drained] = await there.query({ service, includeDraining: true });
      expect(drained).toMatchObject({ draining: false });
      await here.override(service, 'a', { drain: false });
      expect(await idsThere()).toEqual(['a']);
      expect(await here.override(service, 'a', { weight: null })).toEqual({
        weight: undefined,
        drain: false,
      });
      const view = await pair.there.read(`svc:${service}`);
      expect(view.records('weight').size).toBe(0);
    });

    it('loses no decision of operators who decide at once', async () => {
      await Promise.all([
        here.override(service, 'a', { weight: 3 }),
        there.override(service, 'a', { drain: true }),
      ]);
      expect(await here.override(service, 'a', {})).toEqual({ weight: 3, drain: true });
    });
  });
}
