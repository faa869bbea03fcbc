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
 * What sends requests through listeners, mesh doors among them, runs once per lane: above with the wire lane and
 * what it hands over, and here on the full lane alone (`test/full-lane`). That is each test of the whole
 * program, but for `FAULTS`, which take the full lane by hand.
 */
const BOTH_LANES = [
  'test/{full-lane,packaging}/*.test.ts',
  'test/integration/**/*.test.ts',
  'test/demo/demo.test.ts',
  'test/gateway/listener/*.test.ts',
  'test/gateway/exchange/full-lane/*.test.ts',
];
/** They compare the lanes, or nothing of theirs passes through a listener. */
const NO_LANE = [
  'test/integration/{lanes,terminal}/*.test.ts',
  'test/integration/process/{command-line,output,status,unwritable-data-dir}.test.ts',
  'test/integration/surface/explain-verb.test.ts',
];
const FULL_LANE = { MESHGATE_TEST_LANE: 'full' };

export default defineConfig({
  test: {
    // The smallest machine the suite must pass on has two cores, and what is slow mostly waits.
    maxWorkers: 4,
    globalSetup: 'test/temporary-folder.ts',
    setupFiles: ['test/own-loop.ts', 'test/full-lane/set-lane.ts'],
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
          exclude: [...ALONE, ...FAULTS, ...NO_LANE],
          isolate: false,
          env: FULL_LANE,
        },
      },
      {
        extends: true,
        test: {
          name: 'full-lane-alone',
          include: ALONE.filter((files) => /integration\//.test(files)),
          env: FULL_LANE,
        },
      },
    ],
  },
});
