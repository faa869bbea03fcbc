import { defineConfig } from 'vitest/config';
import { SlowFirst } from './test/slow-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The smallest machine the suite must pass on has two cores, and what is slow mostly waits.
    maxWorkers: 3,
    sequence: { sequencer: SlowFirst },
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
