import { createHttp2Upstream } from '../../../src/mesh/transport/http2-upstream.ts';
import { describeUpstream } from '../../contracts/upstream.ts';
import { LIMITS } from '../../contracts/upstream-origin.ts';
import { createHttp2Origin } from './http2-origins.ts';

describeUpstream('h2c', {
  createOrigin: (handler) => createHttp2Origin(handler),
  createUpstream: (target, limits) => createHttp2Upstream(target, { ...LIMITS, ...limits }),
});
