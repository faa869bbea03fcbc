/** What requests notice while proxies are told again and again to take another configuration. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  emptyAccessLog,
  startPeer,
  type BenchContext,
  type StartedPeer,
} from '../bench-context.ts';
import {
  countFailed,
  describeLatencies,
  LATENCY_TITLES,
  measureWindow,
  toLatencyCells,
  type LatencyWindow,
} from '../latency-window.ts';
import { editionPath, routePrefixes, type PeerName, type Work } from '../peers/peer.ts';
import { probe } from '../probe.ts';
import type { Scenario, ScenarioResult } from './scenario.ts';

const WORK: Work = { routes: 100, tls: false, body: 'small', edition: 0 };
const PATHS = routePrefixes(WORK).map((prefix) => `${prefix}items/42`);
/** @fastify/http-proxy takes another configuration by a restart alone. */
const ABLE: readonly PeerName[] = ['meshgate', 'nginx', 'haproxy', 'caddy'];
const PER_SECOND = 1000;
const RELOAD_EVERY_MS = 2000;
const POLL_MS = 50;
const IN_FORCE_WITHIN_MS = 60_000;

export interface ReloadWindow extends LatencyWindow {
  readonly reloads: number;
}

export interface ReloadSeries {
  readonly peer: PeerName;
  readonly steady: ReloadWindow[];
  readonly reloading: ReloadWindow[];
}

export const reload: Scenario = {
  name: 'reload',
  summary: `GET of 1 KB at ${PER_SECOND.toLocaleString('en')} requests a second, by ${WORK.routes} routes, while a configuration that differs by one more route takes the place of the one before every ${RELOAD_EVERY_MS / 1000} s. Latency is counted from when a request was due.`,

  async run(context) {
    const entries: { running: ReloadingPeer; series: ReloadSeries }[] = [];
    try {
      for (const peer of ABLE.filter((name) => context.peers.has(name))) {
        const running = new ReloadingPeer(
          peer,
          await startPeer(context, peer, WORK, [
            { path: PATHS.at(-1)! },
            { path: '/service-100/', status: 404, shows: 'a path without a route' },
            { path: editionPath(0), status: 204, shows: 'the path of its edition' },
            { path: editionPath(1), status: 404, shows: 'the path of another edition' },
          ]),
        );
        entries.push({ running, series: { peer, steady: [], reloading: [] } });
        await measure(context, running, true);
      }
      for (let round = 1; round <= context.options.rounds; round++) {
        for (const { running, series } of entries) {
          for (const phase of ['steady', 'reloading'] as const) {
            const window = await measure(context, running, phase === 'reloading');
            series[phase].push(window);
            const name = `${series.peer} ${phase}`.padEnd(18);
            context.say(`  round ${round}  ${name} ${describe(window)}`);
          }
        }
      }
    } finally {
      for (const { running } of entries) await running.peer.stop();
    }
    return toReloadResult(entries.map(({ series }) => series));
  },
};

/** A proxy, and how often its configuration has been replaced. */
class ReloadingPeer {
  readonly name: PeerName;
  readonly peer: StartedPeer;
  edition = 0;

  constructor(name: PeerName, peer: StartedPeer) {
    this.name = name;
    this.peer = peer;
  }

  /** Resolves once the next configuration is in force. */
  async reload(): Promise<void> {
    const edition = ++this.edition;
    await this.peer.reload!(edition);
    const deadline = performance.now() + IN_FORCE_WITHIN_MS;
    while (!(await this.#answers(edition))) {
      if (performance.now() > deadline) {
        const reason = (await this.peer.fault()) ?? 'does not apply the new configuration';
        throw new Error(`${this.name} ${reason}`);
      }
      await delay(POLL_MS);
    }
  }

  /** On a connection of its own. One that is refused may be of a process that is just going. */
  async #answers(edition: number): Promise<boolean> {
    try {
      return (await probe(this.peer, { path: editionPath(edition) })).status === 204;
    } catch {
      return false;
    }
  }
}

async function measure(
  { options }: BenchContext,
  running: ReloadingPeer,
  isReloading: boolean,
): Promise<ReloadWindow> {
  const before = running.edition;
  const window = await measureWindow(
    { url: running.peer.url, paths: PATHS, perSecond: PER_SECOND, seconds: options.seconds },
    isReloading ? (end) => reloadUntil(end, running) : undefined,
  );
  await emptyAccessLog(running.peer);
  return { ...window, reloads: running.edition - before };
}

/** Waits for each, and for the last one too: it must not reach into the window that follows. */
async function reloadUntil(end: AbortSignal, running: ReloadingPeer): Promise<void> {
  while (!end.aborted) {
    const pause = delay(RELOAD_EVERY_MS);
    await running.reload();
    await pause;
  }
}

/** That others fail requests is a result; that Meshgate does, or anybody without a reload, is not. */
export function toReloadResult(series: readonly ReloadSeries[]): ScenarioResult {
  return {
    table: [
      ['', ...LATENCY_TITLES, 'reloads', 'failed', 'connections closed'],
      ...series.flatMap(({ peer, steady, reloading }) => [
        toRow(`${peer}, steady`, steady),
        toRow(`${peer}, reloading`, reloading),
      ]),
    ],
    notes: [
      'p50, p99 and max are medians over the rounds; reloads, failed and closed are sums. A failed request is one that got no whole answer of 200: most often the connection that had been kept for it was closed as it was sent. A client that sends such a request again does not see it.',
      ...ABLE.filter((name) => series.every(({ peer }) => peer !== name)).map(
        (name) => `${name}: not measured, it was left out or is not there.`,
      ),
    ],
    failures: series.flatMap(({ peer, steady, reloading }) => [
      ...toFailure(`${peer}, steady`, steady),
      ...(peer === 'meshgate' ? toFailure(`${peer}, reloading`, reloading) : []),
    ]),
    data: series,
  };
}

function toFailure(label: string, windows: readonly LatencyWindow[]): string[] {
  const failed = countFailed(windows);
  return failed === 0 ? [] : [`${label}: ${failed} requests failed`];
}

function toRow(label: string, windows: readonly ReloadWindow[]): string[] {
  const total = (figure: 'reloads' | 'closed') =>
    windows.reduce((sum, window) => sum + window[figure], 0);
  return [
    label,
    ...toLatencyCells(windows),
    String(total('reloads')),
    String(countFailed(windows)),
    String(total('closed')),
  ];
}

function describe(window: ReloadWindow): string {
  return `${describeLatencies(window)}  ${window.closed} closed  ${window.reloads} reloads`;
}
