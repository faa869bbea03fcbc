import { defineConfig } from 'vitest/config';
import { SlowFirst } from './test/slow-first.ts';

/**
 * They put modules of their own in place of others (`vi.mock`), measure the memory or the time of their
 * process, or count what timers there are.
 */
const ALONE = [
  'test/integration/errors/*.test.ts',
  'test/integration/protocols/memory.test.ts',
  'test/integration/mesh/door-protocols.test.ts',
  'test/mesh/transport/http1-answers.test.ts',
  'test/gateway/config/reloader.test.ts',
  'test/gateway/config/load-in-thread.test.ts',
  'test/mesh/service/hedging*.test.ts',
];

/** What takes minutes: they kill processes and cut off networks under load (`npm run test:faults`). */
const FAULTS = [
  'test/integration/mesh-faults/*.test.ts',
  'test/integration/versions/{writers,outage,rollback-under-load}.test.ts',
  'test/integration/mesh/sidecar-process.test.ts',
  'test/integration/client/shop.test.ts',
  'test/integration/process/{memory,worker-faults}.test.ts',
  'test/mesh/backplane/redis-{failover,outage,partition}.test.ts',
  'test/mesh/limits/shared-outage.test.ts',
  'test/demo/mesh-demo.test.ts',
];

/**
 * The behaviour of the edge, which runs once per lane: above with the wire lane and what it hands over, and here
 * on the full lane alone.
 */
const BOTH_LANES = [
  'test/integration/{surface,protocols,errors,bad-input}/*.test.ts',
  'test/gateway/listener/*.test.ts',
  'test/gateway/exchange/full-lane/*.test.ts',
];
const FULL_LANE = { MESHGATE_TEST_LANE: 'full' };

export default defineConfig({
  test: {
    // The smallest machine the suite must pass on has two cores, and what is slow mostly waits.
    maxWorkers: 4,
    globalSetup: 'test/temporary-folder.ts',
    setupFiles: 'test/own-loop.ts',
    sequence: { sequencer: SlowFirst },
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, ...FAULTS],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
      { extends: true, test: { name: 'faults', include: FAULTS, isolate: false } },
      {
        extends: true,
        test: {
          name: 'full-lane',
          include: BOTH_LANES,
          exclude: ALONE,
          isolate: false,
          env: FULL_LANE,
        },
      },
      {
        extends: true,
        test: {
          name: 'full-lane-alone',
          include: ALONE.filter((files) => /integration\/(errors|protocols)\//.test(files)),
          env: FULL_LANE,
        },
      },
    ],
  },
});
