/** HTTP/2 upstreams of one test, taken down with their origins. */
import { afterEach } from 'vitest';
import { createHttp2Upstream } from '../../../src/mesh/transport/http2-upstream.ts';
import type { Http2Liveness } from '../../../src/mesh/transport/http2-upstream.ts';
import type {
  Upstream,
  UpstreamLimits,
  UpstreamTls,
} from '../../../src/mesh/transport/upstream.ts';
import { LIMITS, requestOf } from '../../contracts/upstream-origin.ts';
import type { Origin } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';

/** Closes after each test what was opened in it. To be called at the top of a test file. */
export function upstreamFixtures(): (
  origin: Origin,
  limits?: Partial<UpstreamLimits>,
  options?: { readonly liveness?: Http2Liveness; readonly tls?: Partial<UpstreamTls> },
) => Upstream {
  const opened: { origin: Origin; upstream: Upstream }[] = [];
  afterEach(async () => {
    for (const { origin, upstream } of opened.splice(0)) {
      upstream.destroy();
      await origin.close();
    }
  });
  return (origin, limits, { liveness, tls } = {}) => {
    const target = { ...origin.target, tls: { verify: true, ...tls } };
    const upstream = createHttp2Upstream(target, { ...LIMITS, ...limits }, liveness);
    opened.push({ origin, upstream });
    return upstream;
  };
}

/** Sends a request and records its answer. */
export function sendTo(
  upstream: Upstream,
  changes: Parameters<typeof requestOf>[0] = {},
): UpstreamRecorder {
  const sink = new UpstreamRecorder();
  upstream.send(requestOf(changes), sink);
  return sink;
}
