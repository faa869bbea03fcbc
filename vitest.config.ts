import { defineConfig } from 'vitest/config';
import { SlowFirst } from './test/slow-first.ts';

/**
 * They put modules of their own in place of others (`vi.mock`), measure the memory of their process, or
 * count what timers there are.
 */
const ALONE = [
  'test/integration/errors/*.test.ts',
  'test/integration/protocols/memory.test.ts',
  'test/integration/mesh/door-protocols.test.ts',
  'test/mesh/transport/http1-answers.test.ts',
  'test/gateway/config/reloader.test.ts',
  'test/mesh/service/hedging*.test.ts',
];

export default defineConfig({
  test: {
    // The smallest machine the suite must pass on has two cores, and what is slow mostly waits.
    maxWorkers: 4,
    globalSetup: 'test/temporary-folder.ts',
    sequence: { sequencer: SlowFirst },
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: ALONE, isolate: false },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
  },
});
