/** Whether requests notice that a large configuration takes the place of another. */
import { setTimeout as delay } from 'node:timers/promises';
import { startPeer, type BenchContext, type StartedPeer } from '../bench-context.ts';
import {
  countFailed,
  describeLatencies,
  LATENCY_TITLES,
  measureWindow,
  toFailures,
  toLatencyCells,
  type LatencyWindow,
} from '../latency-window.ts';
import { readRevision, replaceConfig, toMeshgateConfig } from '../peers/meshgate.ts';
import type { Site, Work } from '../peers/peer.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from './scenario.ts';

const PER_SECOND = 1000;
const SWAP_EVERY_MS = 3000;
const POLL_MS = 100;
const MAX_POLLS = 300;
const PATHS = 100;

interface Window extends LatencyWindow {
  readonly swaps: number;
}

export const swap: Scenario = createSwap('swap', 10_000);
export const scaleSwap: Scenario = createSwap('scale-swap', 100_000);

function createSwap(name: string, routes: number): Scenario {
  return {
    name,
    summary: `GET of 1 KB at 1,000 requests a second, by ${routes.toLocaleString('en')} routes, while a configuration with as many takes the place of another every 3 s. Latency is counted from when a request was due.`,
    run: (context) => runSwap(context, { routes, tls: false, body: 'small' }),
  };
}

async function runSwap(context: BenchContext, work: Work): Promise<ScenarioResult> {
  if (!context.peers.has('meshgate')) return NOT_MEASURED;
  const paths = toPaths(work);
  const running = await startPeer(context, 'meshgate', work, [{ path: paths.at(-1)! }]);
  const writeNext = createWriter(work, running.site);
  const steady: Window[] = [];
  const swapping: Window[] = [];
  try {
    await measure(context, running, paths);
    for (let round = 1; round <= context.options.rounds; round++) {
      steady.push(await measure(context, running, paths));
      swapping.push(await measure(context, running, paths, writeNext));
      context.say(`  round ${round}  steady   ${describe(steady.at(-1)!)}`);
      context.say(`  round ${round}  swapping ${describe(swapping.at(-1)!)}`);
    }
  } finally {
    await running.stop();
  }
  return toResult(steady, swapping);
}

/** Spread over all routes. */
function toPaths({ routes }: Work): readonly string[] {
  return Array.from({ length: PATHS }, (_, i) => `/service-${i * (routes / PATHS)}/items/42`);
}

async function measure(
  { options }: BenchContext,
  { url, site }: StartedPeer,
  paths: readonly string[],
  writeNext?: () => Promise<void>,
): Promise<Window> {
  const before = await readRevision(site);
  const window = await measureWindow(
    { url, paths, perSecond: PER_SECOND, seconds: options.seconds },
    writeNext && ((end) => swapUntil(end, site, writeNext)),
  );
  return { ...window, swaps: (await readRevision(site)) - before };
}

/** Waits for each swap, and the last one too: it must not reach into the window that follows. */
async function swapUntil(
  end: AbortSignal,
  site: Site,
  writeNext: () => Promise<void>,
): Promise<void> {
  while (!end.aborted) {
    const revision = await readRevision(site);
    const pause = delay(SWAP_EVERY_MS);
    await writeNext();
    for (let polls = 0; (await readRevision(site)) === revision; polls++) {
      if (polls === MAX_POLLS) throw new Error('meshgate does not apply the new configuration');
      await delay(POLL_MS);
    }
    await pause;
  }
}

/** Alternates between two documents that are made beforehand, so that making them delays nobody. */
function createWriter(work: Work, site: Site): () => Promise<void> {
  const documents = [1, 2].map((edition) =>
    Buffer.from(toMeshgateConfig({ ...work, edition }, site)),
  );
  let written = 0;
  return () => replaceConfig(site, documents[written++ % documents.length]!);
}

function toResult(steady: readonly Window[], swapping: readonly Window[]): ScenarioResult {
  return {
    table: [
      ['', ...LATENCY_TITLES, 'swaps', 'failed'],
      toRow('steady', steady),
      toRow('swapping', swapping),
    ],
    notes: ['p50, p99 and max are medians over the rounds; swaps and failed are sums.'],
    failures: toFailures([...steady, ...swapping]),
    data: { steady, swapping },
  };
}

function toRow(label: string, windows: readonly Window[]): string[] {
  const swaps = windows.reduce((total, window) => total + window.swaps, 0);
  return [label, ...toLatencyCells(windows), String(swaps), String(countFailed(windows))];
}

function describe(window: Window): string {
  return `${describeLatencies(window)}  ${window.swaps} swaps`;
}
