/** What a scraper sees of a page, and the page of its scraper. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { publish, type Sample } from '../../../src/gateway/observe/published-metric.ts';
import { createMetricsPage } from '../../../src/gateway/status/metrics-page.ts';
import type { Readiness } from '../../../src/gateway/status/readiness.ts';
import {
  createStatusServer,
  type StatusServer,
} from '../../../src/gateway/status/status-server.ts';

const MANY = 500_000;

let registry: Registry;
let server: StatusServer;
let url: string;

beforeEach(async () => {
  registry = new Registry();
  const page = createMetricsPage(registry, { monotonic: () => performance.now() });
  server = createStatusServer({ host: '127.0.0.1', port: 0 }, {} as Readiness, page);
  url = `http://127.0.0.1:${(await server.start()).port}/metrics`;
});

afterEach(() => server.stop());

function publishSamples(samples: () => Iterable<Sample>): void {
  publish(registry, { name: 'many', help: 'M.', type: 'gauge', samples });
}

it('sends a page of several pieces whole', async () => {
  publishSamples(() => Array.from({ length: 5_000 }, (_, n) => ({ labels: { n }, value: n })));
  const answer = await fetch(url);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await answer.text()).toBe(await registry.metrics());
});

it('answers 500 where a metric cannot be read', async () => {
  publishSamples(() => {
    throw new Error('no figure');
  });
  expect((await fetch(url)).status).toBe(500);
});

it('breaks off, rather than end well, where a metric can be read only in part', async () => {
  publishSamples(function* () {
    for (let n = 0; n < 10_000; n++) yield { labels: { n }, value: n };
    throw new Error('no further figure');
  });
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  await expect(answer.text()).rejects.toThrow('terminated');
});

it('makes no page for a scraper that has gone', async () => {
  let given = 0;
  const { promise: over, resolve } = Promise.withResolvers<void>();
  publishSamples(function* () {
    try {
      for (; given < MANY; given++) yield { labels: { n: given }, value: 1 };
    } finally {
      resolve();
    }
  });
  const request = get(url);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.once('error', () => undefined);
  answer.destroy();
  await over;
  expect(given).toBeLessThan(MANY);
});
