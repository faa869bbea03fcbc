import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backplane, BackplaneStatus } from '../../../src/mesh/backplane/backplane.ts';
import type { Endpoint } from '../../../src/mesh/endpoint.ts';
import {
  createHealthSharing,
  type HealthSharing,
} from '../../../src/mesh/health/health-sharing.ts';
import type { SharedService } from '../../../src/mesh/health/shared-service.ts';
import type { FactorView } from '../../../src/mesh/health/weight-board.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { endpoint } from '../balancing/endpoints.ts';
import { ManualTime } from '../backplane/manual-time.ts';

const CONNECTED: BackplaneStatus = { connected: true, sinceMs: 0, stalenessMs: 0 };

interface TestedService extends SharedService {
  isStopped: boolean;
  readonly endpoints: readonly Endpoint[];
  refreshes: number;
}

let time: ManualTime;
let asked: { readonly method: string; readonly args: readonly unknown[] }[];
let services: TestedService[];
let moved: (FactorView & { readonly service: string })[];
let sharing: HealthSharing;

beforeEach(() => {
  time = new ManualTime();
  asked = [];
  services = [];
  moved = [];
  const answers: Record<string, unknown> = { takeTurn: false, renew: 'renewed', reports: [] };
  const backplane = new Proxy({} as Backplane, {
    get: (_target, method: string) => {
      if (method === 'status') return () => CONNECTED;
      if (method === 'watch' || method === 'onStatus') return () => () => undefined;
      return async (...args: unknown[]) => {
        asked.push({ method, args });
        return answers[method];
      };
    },
  });
  sharing = createHealthSharing({
    backplane,
    nodeId: 'n1',
    liveNodes: () => ['n1', 'n2'],
    services: () => services,
    monotonic: time.monotonic,
    random: () => 0.5,
    schedule: time.schedule,
    log: SILENT,
    onFactorChange: (service, view) => void moved.push({ service, ...view }),
  });
});
afterEach(() => sharing.stop());

function service(name: string, more: Partial<TestedService> = {}): TestedService {
  const made: TestedService = {
    name,
    sharedAs: undefined,
    adaptiveWeights: true,
    endpoints: ['a', 'b', 'c'].map((id) => endpoint(id)),
    isStopped: false,
    refreshes: 0,
    health: {
      outliers: undefined,
      checks: undefined,
      checkKey: undefined,
      listen: () => () => undefined,
    },
    refresh() {
      made.refreshes += 1;
    },
    ...more,
  };
  services.push(made);
  return made;
}

describe('a service that is not of the mesh', () => {
  it('is weighed by what this node sees alone, and the backplane hears nothing of it', () => {
    const made = service('static');
    sharing.start();
    for (const { id, seen } of made.endpoints) {
      Object.assign(seen, { tries: 100, failedTries: id === 'a' ? 50 : 0 });
    }
    time.advance(10_000);
    const reason = 'error ratio 0.50 against 0.00 of its peers';
    expect(moved[0]).toEqual({ service: 'static', endpoint: 'a', factor: 0.8, reason });
    expect(made.refreshes).toBeGreaterThan(0);
    expect(sharing.factors('static')).toHaveLength(1);
    expect(sharing.isOwnCheck('static', made.endpoints[0]!)).toBe(true);
    expect(asked).toEqual([]);
  });

  it('is left alone without adaptive weights', () => {
    service('static', { adaptiveWeights: false });
    sharing.start();
    const before = time.delaysMs.length;
    time.advance(10_000);
    expect(time.delaysMs).toHaveLength(before);
    expect(sharing.factors('static')).toEqual([]);
  });
});

it('checks everything of a service that it does not know', () => {
  sharing.start();
  expect(sharing.isOwnCheck('unknown', endpoint('a'))).toBe(true);
});

describe('a service that another of its name takes the place of', () => {
  it('leaves its records to it, and takes them back when the last one is gone', async () => {
    const shared = { sharedAs: 'orders' };
    const first = service('orders', shared);
    sharing.start();
    const second = service('orders', shared);
    first.isStopped = true;
    services.splice(0, 1);
    time.advance(1000);
    await Promise.resolve();
    expect(asked.filter(({ method }) => method === 'change')).toEqual([]);
    // Something to take back.
    second.endpoints[0]!.ejected = true;
    time.advance(2000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked.filter(({ method }) => method === 'change')).toHaveLength(1);
    await sharing.stop();
    const [, removal] = asked.filter(({ method }) => method === 'change');
    expect(removal!.args).toEqual([
      'health:orders',
      [{ type: 'remove', kind: 'hint', id: 'hint/orders@n1', owner: expect.any(String) }],
    ]);
  });
});

it('keeps to itself what has a name that no service of the mesh can have', () => {
  service('odd', { sharedAs: 'no name' });
  sharing.start();
  time.advance(10_000);
  expect(asked).toEqual([]);
});
