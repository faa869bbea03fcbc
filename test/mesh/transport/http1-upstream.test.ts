import { createHttp1Upstream } from '../../../src/mesh/transport/http1-upstream.ts';
import { describeUpstream } from '../../contracts/upstream.ts';
import { LIMITS } from '../../contracts/upstream-origin.ts';
import { createNodeOrigin } from './http1-origins.ts';

describeUpstream('http1', {
  createOrigin: (handler) => createNodeOrigin(handler),
  createUpstream: (target, limits) => createHttp1Upstream(target, { ...LIMITS, ...limits }),
});
