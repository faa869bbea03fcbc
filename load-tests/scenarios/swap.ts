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

const WORK: Work = { routes: 10_000, tls: false, body: 'small' };
const PER_SECOND = 1000;
const SWAP_EVERY_MS = 3000;
const POLL_MS = 100;
const MAX_POLLS = 300;
const PATHS = Array.from({ length: 100 }, (_, i) => `/service-${i * 100}/items/42`);

interface Window extends LatencyWindow {
  readonly swaps: number;
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
      await measure(context, running);
      for (let round = 1; round <= context.options.rounds; round++) {
        steady.push(await measure(context, running));
        swapping.push(await measure(context, running, writeNext));
        context.say(`  round ${round}  steady   ${describe(steady.at(-1)!)}`);
        context.say(`  round ${round}  swapping ${describe(swapping.at(-1)!)}`);
      }
    } finally {
      await running.stop();
    }
    return toResult(steady, swapping);
  },
};

async function measure(
  { options }: BenchContext,
  { url, site }: StartedPeer,
  writeNext?: () => Promise<void>,
): Promise<Window> {
  const before = await readRevision(site);
  const window = await measureWindow(
    { url, paths: PATHS, perSecond: PER_SECOND, seconds: options.seconds },
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
function createWriter(site: Site): () => Promise<void> {
  const documents = [1, 2].map((edition) =>
    Buffer.from(toMeshgateConfig({ ...WORK, edition }, site)),
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
