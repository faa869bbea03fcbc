/** What every scenario is handed, and how it gets a proxy to measure. */
import { mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePorts } from './free-port.ts';
import type { BenchOptions } from './options.ts';
import type { Peer, PeerName, RunningPeer, Site, Work } from './peers/peer.ts';
import { check, probe, type Probe } from './probe.ts';
import type { ProcessKeeper } from './process-keeper.ts';
import { BODY_BYTES, type Upstream } from './upstream.ts';

export interface BenchContext {
  readonly options: BenchOptions;
  readonly processes: ProcessKeeper;
  readonly upstream: Upstream;
  /** Those that were found, and are wanted. */
  readonly peers: ReadonlyMap<PeerName, Peer>;
  /** A temporary folder that goes with the bench. */
  readonly directory: string;
  readonly certificateFile: string;
  readonly say: (line: string) => void;
}

export interface StartedPeer extends RunningPeer {
  readonly site: Site;
}

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

/** Starts a proxy, and sees by the probes that it does its work. */
export async function startPeer(
  context: BenchContext,
  name: PeerName,
  work: Work,
  probes: readonly Probe[],
): Promise<StartedPeer> {
  const peer = context.peers.get(name);
  if (peer === undefined) throw new Error(`${name} is not among the peers`);
  const site = await createSite(context, name, work);
  const running = await peer.start(work, site);
  try {
    await awaitReady(name, running, probes[0]?.path ?? '/');
    for (const one of probes) await check(name, running, BODY_BYTES[work.body], one);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return { ...running, site };
}

/** Keeps the logs of millions of requests from filling the disk. */
export async function emptyAccessLog({ accessLog }: RunningPeer): Promise<void> {
  if (accessLog !== undefined) await truncate(accessLog);
}

async function createSite(context: BenchContext, name: PeerName, work: Work): Promise<Site> {
  const [port, sparePort] = (await findFreePorts(2)) as [number, number];
  const directory = join(context.directory, `${name}-${port}`);
  await mkdir(directory);
  const { certificateFile, processes, upstream } = context;
  const upstreamPort = upstream.ports[work.body];
  return { directory, port, sparePort, upstreamPort, certificateFile, processes };
}

/** Any answer will do. */
async function awaitReady(name: PeerName, running: RunningPeer, path: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await probe(running, { path });
      return;
    } catch (error) {
      const fault = await running.fault();
      if (fault !== undefined) throw new Error(`${name} ${fault}`, { cause: error });
      if (performance.now() > deadline) {
        throw new Error(`${name} does not listen after ${START_TIMEOUT_MS} ms`, { cause: error });
      }
    }
    await delay(POLL_MS);
  }
}
