/** The page says what prom-client would, and holds nobody up. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Counter, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { publish } from '../../../src/gateway/observe/published-metric.ts';
import { createRequestMetrics } from '../../../src/gateway/observe/request-metrics.ts';
import { createMetricsPage } from '../../../src/gateway/status/metrics-page.ts';

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

async function textOf(page: { metrics(): Promise<string | Uint8Array> }): Promise<string> {
  const content = await page.metrics();
  return typeof content === 'string' ? content : Buffer.from(content).toString();
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

  it('lets others have a turn every few milliseconds', async () => {
    const registry = new Registry();
    fill(registry, 1_000);
    let nowMs = 0;
    let pausedMs = 0;
    let longestMs = 0;
    const page = createMetricsPage(registry, {
      // A look at the clock costs a millisecond here: the page may look thrice without a pause.
      monotonic: () => ++nowMs,
      async pause() {
        longestMs = Math.max(longestMs, nowMs - pausedMs);
        await nextTurn();
        pausedMs = nowMs;
      },
    });
    expect(await textOf(page)).toBe(await registry.metrics());
    expect(longestMs).toBeGreaterThan(0);
    expect(longestMs).toBeLessThanOrEqual(5);
  });

  it('is written once for all who ask for it at the same time', async () => {
    const registry = new Registry();
    let reads = 0;
    publish(registry, {
      name: 'reads',
      help: 'How often it was read.',
      type: 'gauge',
      samples: () => [{ labels: {}, value: ++reads }],
    });
    const page = createMetricsPage(registry, CLOCK);
    const [first, second] = await Promise.all([textOf(page), textOf(page)]);
    expect(second).toBe(first);
    expect(await textOf(page)).toContain('reads 2');
  });
});
