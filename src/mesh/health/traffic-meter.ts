/** Reads the totals that tries leave on endpoints, and turns them into what was seen lately. */
import type { Endpoint } from '../endpoint.ts';
import type { EndpointTraffic } from './traffic-report.ts';

/** Of what was seen before, at each reading: with one every 5 s about the last 15 s count. */
const KEPT = 0.7;
/** Fewer are none: what has faded away is not told any more. */
const LEAST_REQUESTS = 0.5;

interface Reading {
  tries: number;
  failedTries: number;
  timedAnswers: number;
  answerMs: number;
}

interface Meter {
  readonly last: Reading;
  readonly faded: Reading;
}

export class TrafficMeter {
  #meters = new Map<Endpoint, Meter>();

  /** To be called every few seconds; tells of endpoints that had requests. */
  read(endpoints: readonly Endpoint[]): readonly EndpointTraffic[] {
    const meters = new Map<Endpoint, Meter>();
    const seen: EndpointTraffic[] = [];
    for (const endpoint of endpoints) {
      const meter = this.#meters.get(endpoint) ?? { last: nothing(), faded: nothing() };
      meters.set(endpoint, meter);
      advance(meter, endpoint);
      const { tries, failedTries, timedAnswers, answerMs } = meter.faded;
      const latencyMs = timedAnswers < LEAST_REQUESTS ? 0 : answerMs / timedAnswers;
      endpoint.seen.usualAnswerMs = latencyMs;
      if (tries < LEAST_REQUESTS) continue;
      seen.push({ id: endpoint.id, requests: tries, failures: failedTries, latencyMs });
    }
    this.#meters = meters;
    return seen;
  }
}

function nothing(): Reading {
  return { tries: 0, failedTries: 0, timedAnswers: 0, answerMs: 0 };
}

/** Field by field: over 10,000 endpoints a loop over names takes four times as long. */
function advance({ last, faded }: Meter, { seen }: Endpoint): void {
  const { tries, failedTries, timedAnswers, answerMs } = seen;
  faded.tries = faded.tries * KEPT + tries - last.tries;
  faded.failedTries = faded.failedTries * KEPT + failedTries - last.failedTries;
  faded.timedAnswers = faded.timedAnswers * KEPT + timedAnswers - last.timedAnswers;
  faded.answerMs = faded.answerMs * KEPT + answerMs - last.answerMs;
  last.tries = tries;
  last.failedTries = failedTries;
  last.timedAnswers = timedAnswers;
  last.answerMs = answerMs;
}
