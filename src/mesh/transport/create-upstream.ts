/** Chooses the transport to an endpoint by its protocol. */
import { createHttp1Upstream } from './http1-upstream.ts';
import { createHttp2Upstream } from './http2-upstream.ts';
import type { Upstream, UpstreamLimits, UpstreamTarget } from './upstream.ts';

/** Nothing is connected before the first try. */
export function createUpstream(target: UpstreamTarget, limits: UpstreamLimits): Upstream {
  switch (target.protocol) {
    case 'http1':
    case 'https':
      return createHttp1Upstream(target, limits);
    case 'h2c':
    case 'h2':
      return createHttp2Upstream(target, limits);
    default:
      return target.protocol satisfies never;
  }
}
