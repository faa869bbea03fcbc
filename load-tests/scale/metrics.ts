/** What a scrape costs where there is much to tell, and whether traffic notices. */
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
import { startMeshGateway, type MeshGateway } from '../mesh/mesh-gateway.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { median } from '../statistics.ts';

const ROUTES = 1_000;
const SERVICES = 100;
const ENDPOINTS_EACH = 100;
const PER_SECOND = 1_000;
const SCRAPE_EVERY_MS = 1_000;
const SCRAPES_AT_REST = 10;
const PATHS = Array.from({ length: ROUTES }, (_, i) => `/route-${i}/items/42`);

interface Scrape {
  readonly tookMs: number;
  readonly bytes: number;
}

export const metrics: Scenario = {
  name: 'scale-metrics',
  summary: `/metrics of ${ROUTES.toLocaleString('en')} routes to ${SERVICES} services with ${(SERVICES * ENDPOINTS_EACH).toLocaleString('en')} endpoints, all of which have seen traffic: at rest, and once a second beside ${PER_SECOND.toLocaleString('en')} requests a second.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const node = await startMeshGateway(context, 'metrics', toConfig(context));
    const steady: LatencyWindow[] = [];
    const scraped: LatencyWindow[] = [];
    try {
      // Every route is asked for, so that every series is there.
      await measure(context, node);
      const atRest: Scrape[] = [];
      for (let n = 0; n < SCRAPES_AT_REST; n++) {
        await delay(200);
        atRest.push(await scrape(node));
      }
      for (let round = 1; round <= context.options.rounds; round++) {
        steady.push(await measure(context, node));
        scraped.push(await measure(context, node, (end) => scrapeUntil(end, node)));
        context.say(`  round ${round}  steady  ${describeLatencies(steady.at(-1)!)}`);
        context.say(`  round ${round}  scraped ${describeLatencies(scraped.at(-1)!)}`);
      }
      return toResult(atRest, steady, scraped);
    } finally {
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

async function scrape({ statusUrl }: MeshGateway): Promise<Scrape> {
  const start = performance.now();
  const answer = await fetch(`${statusUrl}/metrics`);
  const { byteLength } = await answer.arrayBuffer();
  return { tookMs: performance.now() - start, bytes: byteLength };
}

async function scrapeUntil(end: AbortSignal, node: MeshGateway): Promise<void> {
  while (!end.aborted) {
    const pause = delay(SCRAPE_EVERY_MS);
    await scrape(node);
    await pause;
  }
}

function toResult(
  atRest: readonly Scrape[],
  steady: readonly LatencyWindow[],
  scraped: readonly LatencyWindow[],
): ScenarioResult {
  const row = (label: string, windows: readonly LatencyWindow[]): string[] => [
    label,
    ...toLatencyCells(windows),
    String(countFailed(windows)),
  ];
  const tookMs = median(atRest.map((one) => one.tookMs));
  const mib = median(atRest.map(({ bytes }) => bytes)) / 1024 / 1024;
  return {
    table: [['', ...LATENCY_TITLES, 'failed'], row('steady', steady), row('scraped', scraped)],
    notes: [
      `At rest a scrape takes ${tookMs.toFixed(0)} ms (median), and has ${mib.toFixed(1)} MiB.`,
    ],
    failures: toFailures([...steady, ...scraped]),
    data: { atRest, steady, scraped },
  };
}
