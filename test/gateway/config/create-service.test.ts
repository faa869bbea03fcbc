import { expect, it } from 'vitest';
import { createService } from '../../../src/gateway/config/create-service.ts';
import { createUndeclaredServices } from '../../../src/gateway/config/mesh-service.ts';
import { createStaticSource } from '../../../src/mesh/discovery/static.ts';

function ignore(): void {}

it('gives each of several processes its share of the limits, rounded up', () => {
  const environment = {
    monotonic: () => 0,
    now: () => 0,
    random: () => 0,
    zone: undefined,
    onRetry: ignore,
    onEjection: ignore,
    onHealthEvent: ignore,
  };
  const shares = [1, 3].map((workers) => {
    const service = createService(createUndeclaredServices().discovered('orders'), {
      environment,
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      workers,
      stickyKey: () => new Uint8Array(32),
      meshSource: () => createStaticSource([]),
    });
    return { ...service.breaker.thresholds, retries: service.budget.available };
  });
  expect(shares).toEqual([
    { maxRequests: 1024, maxPending: 1024, maxConnections: 1024, retries: 100 },
    { maxRequests: 342, maxPending: 342, maxConnections: 342, retries: 40 },
  ]);
});
