/** Origins and upstreams of one test, taken down together. */
import { afterEach } from 'vitest';
import { createHttp1Upstream } from '../../../src/mesh/transport/http1-upstream.ts';
import type { Upstream, UpstreamLimits } from '../../../src/mesh/transport/upstream.ts';
import { LIMITS, requestOf } from '../../contracts/upstream-origin.ts';
import type { Origin } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';

/** Closes after each test what was opened in it. To be called at the top of a test file. */
export function upstreamFixtures(): (
  origin: Promise<Origin>,
  limits?: Partial<UpstreamLimits>,
) => Promise<{ origin: Origin; upstream: Upstream }> {
  const opened: { origin: Origin; upstream: Upstream }[] = [];
  afterEach(async () => {
    for (const { origin, upstream } of opened.splice(0)) {
      upstream.destroy();
      await origin.close();
    }
  });
  return async (pending, limits) => {
    const origin = await pending;
    const upstream = createHttp1Upstream(origin.target, { ...LIMITS, ...limits });
    opened.push({ origin, upstream });
    return { origin, upstream };
  };
}

/** Sends a request and records its answer. */
export function record(
  upstream: Upstream,
  changes: Parameters<typeof requestOf>[0] = {},
): UpstreamRecorder {
  const sink = new UpstreamRecorder();
  upstream.send(requestOf(changes), sink);
  return sink;
}

/** Sends a request and waits for the end of its answer. */
export function fetchOnce(
  upstream: Upstream,
  changes: Parameters<typeof requestOf>[0] = {},
): Promise<UpstreamRecorder> {
  return record(upstream, changes).ended();
}
