/** Whether memory stays flat over a million requests. */
import { setTimeout as delay } from 'node:timers/promises';
import { emptyAccessLog, startPeer } from '../bench-context.ts';
import { readResidentBytes } from '../measure.ts';
import type { Work } from '../peers/peer.ts';
import { slope } from '../statistics.ts';
import { countErrors, runLoad } from '../wrk.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from './scenario.ts';

const WORK: Work = { routes: 1, tls: false, body: 'small' };
/** The heap grows to its working size first; the slope is taken of what follows. */
const SETTLED_AFTER_SHARE = 0.5;
/** Between the last request and the look. */
const REST_MS = 500;
const MIB = 1024 * 1024;

interface Sample {
  readonly requests: number;
  readonly residentBytes: number;
}

export const memory: Scenario = {
  name: 'memory',
  summary: 'Resident memory over a million requests like those of `bare`.',

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const { seconds, memoryRequests } = context.options;
    const running = await startPeer(context, 'meshgate', WORK, [{ path: '/' }]);
    const samples: Sample[] = [];
    let requests = 0;
    let errors = 0;
    try {
      while (requests < memoryRequests) {
        const { url } = running;
        const result = await runLoad(context.processes, { url, connections: 64, seconds });
        if (result.requests === 0) throw new Error('meshgate answers nothing any more');
        requests += result.requests;
        errors += countErrors(result);
        await emptyAccessLog(running);
        await delay(REST_MS);
        const sample = { requests, residentBytes: await readResidentBytes(running.pids) };
        samples.push(sample);
        context.say(`  ${describe(sample)}`);
      }
    } finally {
      await running.stop();
    }
    return toResult(samples, errors);
  },
};

function toResult(samples: readonly Sample[], errors: number): ScenarioResult {
  const settledAfter = (samples.at(-1)?.requests ?? 0) * SETTLED_AFTER_SHARE;
  const settled = samples.filter(({ requests }) => requests >= settledAfter);
  const bytesPerRequest = slope(
    settled.map(({ requests, residentBytes }) => ({ x: requests, y: residentBytes })),
  );
  return {
    table: [
      ['requests', 'MiB'],
      ...samples.map(({ requests, residentBytes }) => [
        `${(requests / 1000).toFixed(0)}k`,
        (residentBytes / MIB).toFixed(0),
      ]),
    ],
    notes: [
      `Over the second half it grows by ${bytesPerRequest.toFixed(1)} bytes a request, by least squares.`,
    ],
    failures: errors === 0 ? [] : [`${errors} requests failed`],
    data: { samples, bytesPerRequest },
  };
}

function describe({ requests, residentBytes }: Sample): string {
  return `${String(requests).padStart(8)} requests  ${(residentBytes / MIB).toFixed(1)} MiB`;
}
