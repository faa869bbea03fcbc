/** What a scrape costs where there is much to tell, and whether traffic notices. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import {
  countFailed,
  describeLatencies,
  LATENCY_TITLES,
  measureWindow,
  toFailures,
  toLatencyCells,
  type LatencyWindow,
} from '../latency-window.ts';
import { readCpuTime } from '../measure.ts';
import { startMeshGateway, type MeshGateway } from '../mesh/mesh-gateway.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { median } from '../statistics.ts';
import type { Scrape } from './scrape-task.ts';

const ROUTES = 1_000;
const SERVICES = 100;
const ENDPOINTS_EACH = 100;
const PER_SECOND = 1_000;
const SCRAPE_EVERY_MS = 1_000;
const SCRAPE_TIMEOUT_MS = 10_000;
const SCRAPES_AT_REST = 40;
/** Between two of them. */
const REST_MS = 100;
const PATHS = Array.from({ length: ROUTES }, (_, i) => `/route-${i}/items/42`);

interface AtRest {
  readonly scrapes: readonly Scrape[];
  /** Of the whole process, for one of them, less what it takes without. */
  readonly cpuMs: number;
}

export const metrics: Scenario = {
  name: 'scale-metrics',
  summary: `/metrics of ${ROUTES.toLocaleString('en')} routes to ${SERVICES} services with ${(SERVICES * ENDPOINTS_EACH).toLocaleString('en')} endpoints, all of which have seen traffic: at rest, and once a second beside ${PER_SECOND.toLocaleString('en')} requests a second.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const node = await startMeshGateway(context, 'metrics', toConfig(context));
    const scraper = fork(join(import.meta.dirname, 'scrape-task.ts'), [
      `${node.statusUrl}/metrics`,
    ]);
    const steady: LatencyWindow[] = [];
    const scraped: LatencyWindow[] = [];
    try {
      // Every route is asked for, so that every series is there.
      await measure(context, node);
      const atRest = await scrapeAtRest(node, scraper);
      for (let round = 1; round <= context.options.rounds; round++) {
        steady.push(await measure(context, node));
        scraped.push(await measure(context, node, (end) => scrapeUntil(end, scraper)));
        context.say(`  round ${round}  steady  ${describeLatencies(steady.at(-1)!)}`);
        context.say(`  round ${round}  scraped ${describeLatencies(scraped.at(-1)!)}`);
      }
      return toResult(atRest, steady, scraped);
    } finally {
      scraper.kill('SIGKILL');
      await node.stop();
    }
  },
};

/** One endpoint of each service is the upstream; the others weigh nothing, and are told of all the same. */
function toConfig({ upstream }: BenchContext): Readonly<Record<string, unknown>> {
  const endpoint = (service: number, i: number): object =>
    i === 0
      ? { address: `127.0.0.1:${upstream.ports.small}` }
      : { address: `10.1.${service}.${i}:80`, weight: 0 };
  return {
    services: Object.fromEntries(
      Array.from({ length: SERVICES }, (_, service) => [
        `service-${service}`,
        { endpoints: Array.from({ length: ENDPOINTS_EACH }, (__, i) => endpoint(service, i)) },
      ]),
    ),
    routes: Array.from({ length: ROUTES }, (_, i) => ({
      name: `route-${i}`,
      match: [{ path: `/route-${i}/*` }],
      to: `service-${i % SERVICES}`,
    })),
  };
}

function measure(
  { options }: BenchContext,
  { url }: MeshGateway,
  goOn?: (end: AbortSignal) => Promise<void>,
): Promise<LatencyWindow> {
  const load = { url, paths: PATHS, perSecond: PER_SECOND, seconds: options.seconds };
  return measureWindow(load, goOn);
}

async function scrape(scraper: ChildProcess): Promise<Scrape> {
  scraper.send('scrape');
  const [done] = (await once(scraper, 'message', {
    signal: AbortSignal.timeout(SCRAPE_TIMEOUT_MS),
  })) as [Scrape];
  return done;
}

async function scrapeAtRest({ pid }: MeshGateway, scraper: ChildProcess): Promise<AtRest> {
  const cpuNow = async (): Promise<number> => {
    const { userMs, systemMs } = await readCpuTime([pid]);
    return userMs + systemMs;
  };
  const scrapes: Scrape[] = [];
  const idle = await cpuNow();
  await delay(SCRAPES_AT_REST * REST_MS);
  const before = await cpuNow();
  for (let n = 0; n < SCRAPES_AT_REST; n++) {
    await delay(REST_MS);
    scrapes.push(await scrape(scraper));
  }
  const cpuMs = (await cpuNow()) - before - (before - idle);
  return { scrapes, cpuMs: cpuMs / SCRAPES_AT_REST };
}

async function scrapeUntil(end: AbortSignal, scraper: ChildProcess): Promise<void> {
  while (!end.aborted) {
    const pause = delay(SCRAPE_EVERY_MS);
    await scrape(scraper);
    await pause;
  }
}

function toResult(
  atRest: AtRest,
  steady: readonly LatencyWindow[],
  scraped: readonly LatencyWindow[],
): ScenarioResult {
  const row = (label: string, windows: readonly LatencyWindow[]): string[] => [
    label,
    ...toLatencyCells(windows),
    String(countFailed(windows)),
  ];
  const tookMs = median(atRest.scrapes.map((one) => one.tookMs));
  const mib = median(atRest.scrapes.map(({ bytes }) => bytes)) / 1024 / 1024;
  return {
    table: [['', ...LATENCY_TITLES, 'failed'], row('steady', steady), row('scraped', scraped)],
    notes: [
      `At rest a scrape takes ${tookMs.toFixed(0)} ms (median) and ${atRest.cpuMs.toFixed(1)} ms of CPU, and has ${mib.toFixed(1)} MiB.`,
    ],
    failures: toFailures([...steady, ...scraped]),
    data: { atRest, steady, scraped },
  };
}
