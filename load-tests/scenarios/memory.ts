/** Whether memory stays flat over a million requests. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  emptyAccessLog,
  startPeer,
  type BenchContext,
  type StartedPeer,
} from '../bench-context.ts';
import { readHeapState } from '../heap-state.ts';
import { readResidentBytes } from '../measure.ts';
import { heapSocket } from '../peers/meshgate.ts';
import type { Work } from '../peers/peer.ts';
import { slope } from '../statistics.ts';
import { countErrors, runLoad } from '../wrk.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from './scenario.ts';

const WORK: Work = { routes: 1, tls: false, body: 'small', heapProbe: true };
/** Of the requests that are looked at: code is compiled and the heap grows to its working size first. */
const WARM_UP_SHARE = 0.25;
/** Between the last request and the look. */
const REST_MS = 500;
const MIB = 1024 * 1024;

/** A leak of the smallest object there is, one a request, would be 16 bytes. */
const MAX_LIVE_BYTES_PER_REQUEST = 1;
/** Pages that V8 and the allocator have reserved are still touched for the first time now and then. */
const MAX_RESIDENT_BYTES_PER_REQUEST = 4;
/** Below it, a compiled function more or less is as much as is allowed. */
const JUDGED_FROM_REQUESTS = 1_000_000;

export interface MemorySample {
  /** Since the process was started. */
  readonly requests: number;
  /** As the kernel counts, before garbage is collected for the look. */
  readonly residentBytes: number;
  /** Of JavaScript objects, garbage collected. */
  readonly liveBytes: number;
}

export const memory: Scenario = {
  name: 'memory',
  summary:
    'Memory over a million requests like those of `bare`, after a quarter of a million to warm up.',

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const { memoryRequests } = context.options;
    const running = await startPeer(context, 'meshgate', WORK, [{ path: '/' }]);
    const samples: MemorySample[] = [];
    try {
      const warmUp = await load(context, running, 0, memoryRequests * WARM_UP_SHARE);
      let { requests, errors } = warmUp;
      samples.push(await look(context, running, requests));
      const end = requests + memoryRequests;
      while (requests < end) {
        const more = await load(context, running, requests, requests + 1);
        requests = more.requests;
        errors += more.errors;
        samples.push(await look(context, running, requests));
      }
      return toMemoryResult(samples, errors);
    } finally {
      await running.stop();
    }
  },
};

/** Growth by least squares over all samples, the first of which is that of the warm-up's end. */
export function toMemoryResult(samples: readonly MemorySample[], errors: number): ScenarioResult {
  const live = growth(samples, ({ liveBytes }) => liveBytes);
  const resident = growth(samples, ({ residentBytes }) => residentBytes);
  const measured = (samples.at(-1)?.requests ?? 0) - (samples[0]?.requests ?? 0);
  const failures = errors === 0 ? [] : [`${errors} requests failed`];
  if (measured >= JUDGED_FROM_REQUESTS) {
    if (live > MAX_LIVE_BYTES_PER_REQUEST) {
      failures.push(`the heap in use grows by ${live.toFixed(1)} bytes a request`);
    }
    if (resident > MAX_RESIDENT_BYTES_PER_REQUEST) {
      failures.push(`resident memory grows by ${resident.toFixed(1)} bytes a request`);
    }
  }
  return {
    table: [
      ['requests', 'resident MiB', 'heap in use MiB'],
      ...samples.map(({ requests, residentBytes, liveBytes }) => [
        `${(requests / 1000).toFixed(0)}k`,
        (residentBytes / MIB).toFixed(1),
        (liveBytes / MIB).toFixed(2),
      ]),
    ],
    notes: [
      `By least squares the heap in use grows by ${live.toFixed(2)} bytes a request, and resident ` +
        `memory by ${resident.toFixed(2)}. Garbage is collected at every look.`,
    ],
    failures,
    data: { samples, liveBytesPerRequest: live, residentBytesPerRequest: resident },
  };
}

function growth(
  samples: readonly MemorySample[],
  bytesOf: (sample: MemorySample) => number,
): number {
  return slope(samples.map((sample) => ({ x: sample.requests, y: bytesOf(sample) })));
}

/** From `done` requests to `wanted` at least; counts all of them. */
async function load(
  { processes, options }: BenchContext,
  { url }: StartedPeer,
  done: number,
  wanted: number,
): Promise<{ requests: number; errors: number }> {
  let requests = done;
  let errors = 0;
  while (requests < wanted) {
    const result = await runLoad(processes, { url, connections: 64, seconds: options.seconds });
    if (result.requests === 0) throw new Error('meshgate answers nothing any more');
    requests += result.requests;
    errors += countErrors(result);
  }
  return { requests, errors };
}

async function look(
  context: BenchContext,
  running: StartedPeer,
  requests: number,
): Promise<MemorySample> {
  await emptyAccessLog(running);
  await delay(REST_MS);
  const residentBytes = await readResidentBytes(running.pids);
  const { liveBytes } = await readHeapState(heapSocket(running.site));
  context.say(
    `  ${String(requests).padStart(8)} requests  ${(residentBytes / MIB).toFixed(1)} MiB resident  ` +
      `${(liveBytes / MIB).toFixed(2)} MiB in use`,
  );
  return { requests, residentBytes, liveBytes };
}
