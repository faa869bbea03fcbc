/** What a node's metrics are read from. */
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createNodeMetrics } from '../../src/app/node-metrics.ts';

it('tells of several certificates of a name the first that expires', async () => {
  const registry = new Registry();
  createNodeMetrics(registry, {
    services: () => [],
    listeners: () => [],
    expiries: () => [
      { name: 'api.test', expiresAtMs: 90_000 },
      { name: 'api.test', expiresAtMs: 31_000 },
      { name: 'shop.test', expiresAtMs: 0 },
    ],
    droppedLogLines: () => 0,
    droppedAuditEntries: () => 0,
    backplane: () => ({ connected: true, sinceMs: 0, stalenessMs: 0 }),
    versions: () => ({ version: 0, refused: undefined }),
    clock: { now: () => 1_000, monotonic: () => 0 },
  });
  const text = await registry.metrics();
  expect(text.match(/^meshgate_certificate_expiry_seconds\{.*$/gm)).toEqual([
    'meshgate_certificate_expiry_seconds{name="api.test"} 30',
    'meshgate_certificate_expiry_seconds{name="shop.test"} -1',
  ]);
});
