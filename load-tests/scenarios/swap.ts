/** Whether requests notice that a large configuration takes the place of another. */
import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { startPeer, type BenchContext, type StartedPeer } from '../bench-context.ts';
import { runConstantRate } from '../constant-rate.ts';
import { configFile, readRevision, toMeshgateConfig } from '../peers/meshgate.ts';
import type { Site, Work } from '../peers/peer.ts';
import { median, percentile } from '../statistics.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from './scenario.ts';

const WORK: Work = { routes: 10_000, tls: false, body: 'small' };
const PER_SECOND = 1000;
const SWAP_EVERY_MS = 3000;
const POLL_MS = 100;
const MAX_POLLS = 300;
/** Long enough for a few swaps. */
const LEAST_SECONDS = 10;
const PATHS = Array.from({ length: 100 }, (_, i) => `/service-${i * 100}/items/42`);

interface Window {
  readonly swaps: number;
  readonly failed: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

export const swap: Scenario = {
  name: 'swap',
  summary:
    'GET of 1 KB at 1,000 requests a second, by 10,000 routes, while a configuration with as many takes the place of another every 3 s. Latency is counted from when a request was due.',

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const running = await startPeer(context, 'meshgate', WORK, [{ path: PATHS.at(-1)! }]);
    const writeNext = createWriter(running.site);
    const steady: Window[] = [];
    const swapping: Window[] = [];
    try {
      await measureWindow(context, running, undefined);
      for (let round = 1; round <= context.options.rounds; round++) {
        steady.push(await measureWindow(context, running, undefined));
        swapping.push(await measureWindow(context, running, writeNext));
        context.say(`  round ${round}  steady   ${describe(steady.at(-1)!)}`);
        context.say(`  round ${round}  swapping ${describe(swapping.at(-1)!)}`);
      }
    } finally {
      await running.stop();
    }
    return toResult(steady, swapping);
  },
};

async function measureWindow(
  { options }: BenchContext,
  { url, site }: StartedPeer,
  writeNext: (() => Promise<void>) | undefined,
): Promise<Window> {
  const before = await readRevision(site);
  const end = new AbortController();
  const load = runConstantRate({
    url,
    paths: PATHS,
    perSecond: PER_SECOND,
    seconds: Math.max(LEAST_SECONDS, options.seconds),
    connections: 64,
  }).finally(() => end.abort());
  const swaps = writeNext === undefined ? undefined : swapUntil(end.signal, site, writeNext);
  const [{ latenciesUs, failed }] = await Promise.all([load, swaps]);
  return {
    swaps: (await readRevision(site)) - before,
    failed,
    p50Us: percentile(latenciesUs, 0.5),
    p99Us: percentile(latenciesUs, 0.99),
    maxUs: percentile(latenciesUs, 1),
  };
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
function createWriter(site: Site): () => Promise<void> {
  const documents = [1, 2].map((edition) => Buffer.from(toMeshgateConfig(WORK, site, edition)));
  let written = 0;
  return async () => {
    const draft = `${configFile(site)}.draft`;
    await writeFile(draft, documents[written++ % documents.length]!);
    await rename(draft, configFile(site));
  };
}

function toResult(steady: readonly Window[], swapping: readonly Window[]): ScenarioResult {
  const all = [...steady, ...swapping];
  const failed = all.reduce((sum, window) => sum + window.failed, 0);
  return {
    table: [
      ['', 'p50 ms', 'p99 ms', 'max ms', 'swaps', 'failed'],
      toRow('steady', steady),
      toRow('swapping', swapping),
    ],
    notes: ['p50, p99 and max are medians over the rounds; swaps and failed are sums.'],
    failures: failed === 0 ? [] : [`${failed} requests failed`],
    data: { steady, swapping },
  };
}

function toRow(label: string, windows: readonly Window[]): string[] {
  const inMs = (value: (window: Window) => number) =>
    (median(windows.map(value)) / 1000).toFixed(1);
  const sum = (value: (window: Window) => number) =>
    String(windows.reduce((total, window) => total + value(window), 0));
  return [
    label,
    inMs(({ p50Us }) => p50Us),
    inMs(({ p99Us }) => p99Us),
    inMs(({ maxUs }) => maxUs),
    sum(({ swaps }) => swaps),
    sum(({ failed }) => failed),
  ];
}

function describe({ p50Us, p99Us, maxUs, swaps, failed }: Window): string {
  const [p50, p99, max] = [p50Us, p99Us, maxUs].map((us) => (us / 1000).toFixed(1));
  return `p50 ${p50} ms  p99 ${p99} ms  max ${max} ms  ${swaps} swaps  ${failed} failed`;
}
