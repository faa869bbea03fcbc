/** Whether memory stays flat over a million requests. */
import { setTimeout as delay } from 'node:timers/promises';
import { emptyAccessLog, startPeer } from '../bench-context.ts';
import { readResidentBytes } from '../measure.ts';
import type { Work } from '../peers/peer.ts';
import { slope } from '../statistics.ts';
import { countErrors, runLoad } from '../wrk.ts';
import type { Scenario, ScenarioResult } from './scenario.ts';

const WORK: Work = { routes: 1, tls: false, body: 'small' };
const STEPS = 10;
/** The heap grows to its working size first; the slope is taken of what follows. */
const SETTLED_AFTER = STEPS / 2;
const LONGEST_STEP_SECONDS = 300;
/** For the garbage of the last requests to be collected, or not. */
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
    const running = await startPeer(context, 'meshgate', WORK, [{ path: '/' }]);
    const samples: Sample[] = [];
    let requests = 0;
    let errors = 0;
    try {
      samples.push({ requests, residentBytes: await readResidentBytes(running.pids) });
      while (samples.length <= STEPS) {
        const result = await runLoad(context.processes, {
          url: running.url,
          connections: 64,
          seconds: LONGEST_STEP_SECONDS,
          stopAfter: context.options.memoryStep,
        });
        requests += result.requests;
        errors += countErrors(result);
        await emptyAccessLog(running);
        await delay(REST_MS);
        samples.push({ requests, residentBytes: await readResidentBytes(running.pids) });
        context.say(`  ${describe(samples.at(-1)!)}`);
      }
    } finally {
      await running.stop();
    }
    return toResult(samples, errors);
  },
};

const NOT_MEASURED: ScenarioResult = {
  table: [],
  notes: ['meshgate was left out or is not there.'],
  failures: [],
  data: {},
};

function toResult(samples: readonly Sample[], errors: number): ScenarioResult {
  const bytesPerRequest = slope(
    samples
      .slice(SETTLED_AFTER)
      .map(({ requests, residentBytes }) => ({ x: requests, y: residentBytes })),
  );
  return {
    table: [
      ['requests', ...samples.map(({ requests }) => `${(requests / 1000).toFixed(0)}k`)],
      ['MiB', ...samples.map(({ residentBytes }) => (residentBytes / MIB).toFixed(0))],
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
