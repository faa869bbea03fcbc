/** The page says what prom-client would, and holds nobody up. */
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Counter, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { publish } from '../../../src/gateway/observe/published-metric.ts';
import { createRequestMetrics } from '../../../src/gateway/observe/request-metrics.ts';
import { createMetricsPage } from '../../../src/gateway/status/metrics-page.ts';
import type { MetricsPage } from '../../../src/gateway/status/status-server.ts';

const CLOCK = { monotonic: () => performance.now() };
const ODD = 'a "quoted"\\path\nin two lines';

function fill(registry: Registry, routes: number): void {
  const metrics = createRequestMetrics(registry);
  for (let i = 0; i < routes; i++) {
    const cells = metrics.cellsOf(`route-${i}`);
    for (const status of [200, 404]) cells.record('public', `service-${i}`, 'GET', status, i / 100);
    cells.rateLimited();
    metrics.upstream(`service-${i}`, 0.3);
  }
}

async function textOf(page: MetricsPage): Promise<string> {
  const content = await page.metrics();
  return typeof content === 'string' ? content : text(content);
}

describe('the metrics page', () => {
  it('is what prom-client would write', async () => {
    const registry = new Registry();
    new Counter({ name: 'plain_total', help: 'One.', registers: [registry] }).inc(3);
    fill(registry, 3);
    publish(registry, {
      name: 'odd',
      help: ODD,
      type: 'gauge',
      samples: () => [
        { labels: { odd: ODD, n: 1 }, value: 1.5 },
        { labels: {}, value: Infinity },
        { labels: { a: 'b' }, value: -Infinity },
      ],
    });
    publish(registry, { name: 'none', help: 'Empty.', type: 'counter', samples: () => [] });
    const page = createMetricsPage(registry, CLOCK);
    expect(await textOf(page)).toBe(await registry.metrics());
    expect(page.contentType).toBe(registry.contentType);
  });

  it('lets others have a turn every millisecond', async () => {
    const registry = new Registry();
    fill(registry, 1_000);
    const { longestMs } = await readWithSlowClock(registry);
    expect(longestMs).toBeGreaterThan(0);
    expect(longestMs).toBeLessThanOrEqual(2);
  });

  it('lets others have a turn while it looks at routes that have seen nothing', async () => {
    const registry = new Registry();
    const metrics = createRequestMetrics(registry);
    for (let i = 0; i < 10_000; i++) metrics.cellsOf(`route-${i}`);
    const { longestMs, pauses } = await readWithSlowClock(registry);
    expect(longestMs).toBeLessThanOrEqual(2);
    // Three metrics are by route.
    expect(pauses).toBeGreaterThan(300);
  });

  it('gives one step a turn to all who read at the same time', async () => {
    const registry = new Registry();
    fill(registry, 500);
    let pausing = 0;
    let most = 0;
    let pauses = 0;
    const page = createMetricsPage(registry, {
      ...CLOCK,
      async pause() {
        pauses++;
        most = Math.max(most, ++pausing);
        await nextTurn();
        pausing--;
      },
    });
    const [first, second] = await Promise.all([textOf(page), textOf(page)]);
    expect(second).toBe(first);
    expect(pauses).toBeGreaterThan(10);
    expect(most).toBe(1);
  });

  it('is written no further than its reader takes it, and ends with him', async () => {
    const registry = new Registry();
    let given = 0;
    let isOver = false;
    publish(registry, {
      name: 'many',
      help: 'More than anybody wants.',
      type: 'gauge',
      *samples() {
        try {
          for (; given < 1_000_000; given++) yield { labels: { n: given }, value: 1 };
        } finally {
          isOver = true;
        }
      },
    });
    const content = await createMetricsPage(registry, CLOCK).metrics();
    const reader = content as Readable;
    reader.once('readable', () => undefined);
    for (let n = 0; n < 200; n++) await nextTurn();
    expect(given).toBeGreaterThan(1_000);
    expect(given).toBeLessThan(50_000);
    reader.destroy();
    await expect.poll(() => isOver).toBe(true);
  });

  it('fails where a metric cannot be read', async () => {
    const registry = new Registry();
    publish(registry, {
      name: 'broken',
      help: 'B.',
      type: 'gauge',
      samples() {
        throw new Error('no figure');
      },
    });
    await expect(textOf(createMetricsPage(registry, CLOCK))).rejects.toThrow('no figure');
  });
});

/** Reads the page while a look at the clock costs a millisecond; `longestMs`: between two pauses. */
async function readWithSlowClock(
  registry: Registry,
): Promise<{ readonly longestMs: number; readonly pauses: number }> {
  let nowMs = 0;
  let pausedMs = 0;
  let longestMs = 0;
  let pauses = 0;
  const page = createMetricsPage(registry, {
    monotonic: () => ++nowMs,
    async pause() {
      pauses++;
      longestMs = Math.max(longestMs, nowMs - pausedMs);
      await nextTurn();
      pausedMs = nowMs;
    },
  });
  expect(await textOf(page)).toBe(await registry.metrics());
  return { longestMs, pauses };
}
