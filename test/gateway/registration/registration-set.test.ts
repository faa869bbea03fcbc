/** The instances beside a node, as the configuration names them: one that cannot begin keeps none from it. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegistrationConfig } from '../../../src/gateway/config/mesh-config.ts';
import { RegistrationSet } from '../../../src/gateway/registration/registration-set.ts';
import type { Backplane } from '../../../src/mesh/backplane/backplane.ts';
import {
  CLOCK,
  SILENT,
  watchSpace,
  type BackplanePair,
} from '../../contracts/backplane-fixture.ts';
import { openEmbeddedPair } from '../../redis/open-backplane.ts';

let application: Server;
let store: BackplanePair;
let set: RegistrationSet;

beforeEach(async () => {
  application = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(application, 'listening');
  store = await openEmbeddedPair();
  set = setOn(store.here);
});

afterEach(async () => {
  await set.leave();
  await store.close();
  application.close();
});

function setOn(backplane: Backplane): RegistrationSet {
  return new RegistrationSet({
    backplane,
    destination: undefined,
    nodeId: 'here',
    zone: undefined,
    inboundPort: () => 0,
    monotonic: CLOCK.monotonic,
    random: Math.random,
    log: SILENT,
  });
}

function instance(id: string): RegistrationConfig {
  const { port } = application.address() as AddressInfo;
  return {
    service: 'orders',
    application: { host: '127.0.0.1', port },
    inbound: undefined,
    advertise: undefined,
    id,
    protocol: 'http1',
    weight: 1,
    priority: 0,
    metadata: {},
    healthCheck: {
      by: { kind: 'tcp' },
      intervalMs: 1_000,
      timeoutMs: 1_000,
      healthyThreshold: 1,
      unhealthyThreshold: 3,
    },
  };
}

/** What no service can be called. */
function impossible(): RegistrationConfig {
  return { ...instance('bad'), service: 'no name' };
}

describe('a set of registrations', () => {
  it('registers the others where one cannot begin, and says so', async () => {
    const watching = watchSpace(store.there, 'svc:orders');
    await expect(set.apply([impossible(), instance('good')])).rejects.toThrow(/name/);
    await watching.until((view) => view.records('inst').has('good'));
    watching.stop();
  });

  it('goes on after one that could not begin', async () => {
    const watching = watchSpace(store.there, 'svc:orders');
    await expect(set.apply([impossible()])).rejects.toThrow(/name/);
    expect(await set.retire([])).toBe(false);
    await set.apply([instance('good')]);
    await watching.until((view) => view.records('inst').has('good'));
    expect(await set.drain()).toBe(true);
    watching.stop();
  });
});
