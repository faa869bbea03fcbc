/** All scenarios, in the order of the tables, and in groups. */
import { bare, https, largeBody } from './bare.ts';
import { jwtRs256Limit } from './jwt-rs256-limit.ts';
import { configChurn } from '../config/churn.ts';
import { configPropagation } from '../config/propagation.ts';
import { crash } from '../mesh/crash.ts';
import { hop } from '../mesh/hop.ts';
import { limits } from '../mesh/limits.ts';
import { propagation } from '../mesh/propagation.ts';
import { redisOutage } from '../mesh/redis-outage.ts';
import { scale } from '../mesh/scale.ts';
import { slowEndpoint } from '../mesh/slow-endpoint.ts';
import { endpoints } from '../scale/endpoints.ts';
import { idleTls } from '../scale/idle-tls.ts';
import { metrics } from '../scale/metrics.ts';
import { scaleLoad, scaleRoutes } from '../scale/routes.ts';
import { memory } from './memory.ts';
import { plugins } from './plugins.ts';
import { reload } from './reload.ts';
import { routes } from './routes.ts';
import type { Scenario } from './scenario.ts';
import { scaleSwap, swap } from './swap.ts';
import { workers } from './workers.ts';

/** By the name that `--only` knows them all by. */
export const GROUPS: Readonly<Record<string, readonly Scenario[]>> = {
  edge: [bare, routes, jwtRs256Limit, plugins, https, largeBody, workers, memory],
  changes: [swap, reload, configPropagation, configChurn],
  scale: [scaleRoutes, scaleLoad, scaleSwap, idleTls, endpoints, metrics],
  mesh: [hop, propagation, scale, crash, slowEndpoint, limits, redisOutage],
};

export const SCENARIOS: readonly Scenario[] = Object.values(GROUPS).flat();
