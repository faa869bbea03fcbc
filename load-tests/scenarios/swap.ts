/** Whether requests notice that a large configuration takes the place of another. */
import { rename, writeFile } from 'node:fs/promises';
import { startPeer, type BenchContext, type StartedPeer } from '../bench-context.ts';
import { runConstantRate } from '../constant-rate.ts';
import { configFile, metricsUrl, toMeshgateConfig } from '../peers/meshgate.ts';
import type { Work } from '../peers/peer.ts';
import { median, percentile } from '../statistics.ts';
import type { Scenario, ScenarioResult } from './scenario.ts';

const WORK: Work = { routes: 10_000, tls: false, body: 'small' };
const PER_SECOND = 1000;
const SWAP_EVERY_MS = 3000;
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
    'GET of 1 KB at 1,000 requests a second, by 10,000 routes, while the configuration file is written anew every 3 s. Latency is counted from when a request was due.',

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const running = await startPeer(context, 'meshgate', WORK, [{ path: PATHS.at(-1)! }]);
    const steady: Window[] = [];
    const swapping: Window[] = [];
    try {
      await measureWindow(context, running, undefined);
      for (let round = 1; round <= context.options.rounds; round++) {
        steady.push(await measureWindow(context, running, undefined));
        swapping.push(await measureWindow(context, running, createWriter(running)));
        context.say(`  round ${round}  steady   ${describe(steady.at(-1)!)}`);
        context.say(`  round ${round}  swapping ${describe(swapping.at(-1)!)}`);
      }
    } finally {
      await running.stop();
    }
    return toResult(steady, swapping);
  },
};

const NOT_MEASURED: ScenarioResult = {
  table: [],
  notes: ['meshgate was left out or is not there.'],
  failures: [],
  data: {},
};

async function measureWindow(
  { options }: BenchContext,
  running: StartedPeer,
  writeNext: (() => Promise<void>) | undefined,
): Promise<Window> {
  const before = await readRevision(running);
  const writes: Promise<void>[] = [];
  const timer = writeNext && setInterval(() => writes.push(writeNext()), SWAP_EVERY_MS);
  const { latenciesUs, failed } = await runConstantRate({
    url: running.url,
    paths: PATHS,
    perSecond: PER_SECOND,
    seconds: Math.max(LEAST_SECONDS, options.seconds),
    connections: 64,
  });
  clearInterval(timer);
  await Promise.all(writes);
  return {
    swaps: (await readRevision(running)) - before,
    failed,
    p50Us: percentile(latenciesUs, 0.5),
    p99Us: percentile(latenciesUs, 0.99),
    maxUs: percentile(latenciesUs, 1),
  };
}

/** Alternates between two documents that are made beforehand, so that making them delays nobody. */
function createWriter({ site }: StartedPeer): () => Promise<void> {
  const documents = [1, 2].map((edition) => Buffer.from(toMeshgateConfig(WORK, site, edition)));
  let written = 0;
  return async () => {
    const draft = `${configFile(site)}.draft`;
    await writeFile(draft, documents[written++ % documents.length]!);
    await rename(draft, configFile(site));
  };
}

async function readRevision({ site }: StartedPeer): Promise<number> {
  const answer = await fetch(metricsUrl(site));
  const revision = /^meshgate_config_revision(?:\{[^}]*\})? ([0-9.e+]+)$/m.exec(
    await answer.text(),
  );
  if (revision === null) throw new Error('meshgate does not tell its revision');
  return Number(revision[1]);
}

function toResult(steady: readonly Window[], swapping: readonly Window[]): ScenarioResult {
  const all = [...steady, ...swapping];
  const failed = all.reduce((sum, window) => sum + window.failed, 0);
  const still = swapping.some(({ swaps }) => swaps === 0);
  return {
    table: [
      ['', 'p50 ms', 'p99 ms', 'max ms', 'swaps', 'failed'],
      toRow('steady', steady),
      toRow('swapping', swapping),
    ],
    notes: ['p50, p99 and max are medians over the rounds; swaps and failed are sums.'],
    failures: [
      ...(failed === 0 ? [] : [`${failed} requests failed`]),
      ...(still ? ['in a round no swap has ended, so that there was nothing to measure'] : []),
    ],
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
