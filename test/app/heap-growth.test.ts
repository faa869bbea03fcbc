import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { settleHeapGrowth } from '../../src/app/heap-growth.ts';

function flagsFor(bytes: number): string[] {
  const flags: string[] = [];
  settleHeapGrowth((set) => flags.push(set), bytes);
  return flags;
}

it('lets a heap grow to twice its size while it is small, and then by the rules of the engine', () => {
  expect(flagsFor(45 * 1024 * 1024)).toEqual(['--heap-growing-percent=100']);
  expect(flagsFor(128 * 1024 * 1024)).toEqual(['--heap-growing-percent=0']);
});

const MODULE = join(import.meta.dirname, '../../src/app/heap-growth.ts');

/** Of 20 MiB that live on beside 40, how many whole collections they make where a heap may grow by 2 % only. */
function countCollections(settle: string): number {
  const script = `
    import { constants, PerformanceObserver } from 'node:perf_hooks';
    import { settleHeapGrowth } from ${JSON.stringify(MODULE)};
    const kept = [];
    function fill(mib) {
      for (let i = 0; i < mib * 8; i++) kept.push(Array.from({ length: 16384 }, () => i));
    }
    fill(40);
    ${settle}
    globalThis.gc();
    let collections = 0;
    new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) {
        if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections++;
      }
    }).observe({ entryTypes: ['gc'] });
    for (let i = 0; i < 20; i++) {
      fill(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    console.log(collections);
  `;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', '--heap-growing-percent=2', '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  return Number(stdout);
}

it('is heeded by an engine that runs', () => {
  expect(countCollections('')).toBeGreaterThan(0);
  expect(countCollections('settleHeapGrowth();')).toBe(0);
});
