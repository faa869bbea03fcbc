/** Preloaded into a gateway: counts, when its parent asks, what is alive in it. */
import { queryObjects } from 'node:v8';
import { SnapshotLease } from '../../../src/gateway/config/snapshot-lease.ts';
import { GatewayExchange } from '../../../src/gateway/exchange/exchange.ts';
import { Service } from '../../../src/mesh/service/service.ts';

export interface Census {
  readonly snapshots: number;
  readonly services: number;
  readonly exchanges: number;
  /** After a collection. */
  readonly heapBytes: number;
  readonly rssBytes: number;
}

process.on('message', () => {
  // Each collects garbage first, and so the heap is measured last.
  const census: Census = {
    snapshots: queryObjects(SnapshotLease, { format: 'count' }),
    services: queryObjects(Service, { format: 'count' }),
    exchanges: queryObjects(GatewayExchange, { format: 'count' }),
    heapBytes: process.memoryUsage().heapUsed,
    rssBytes: process.memoryUsage.rss(),
  };
  process.send!(census);
});
