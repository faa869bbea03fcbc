/** All scenarios, in the order of the tables. */
import { bare, https, largeBody } from './bare.ts';
import { jwtRs256Limit } from './jwt-rs256-limit.ts';
import { configChurn } from '../config/churn.ts';
import { configPropagation } from '../config/propagation.ts';
import { crash } from '../mesh/crash.ts';
import { hop } from '../mesh/hop.ts';
import { limits } from '../mesh/limits.ts';
import { propagation } from '../mesh/propagation.ts';
import { scale } from '../mesh/scale.ts';
import { slowEndpoint } from '../mesh/slow-endpoint.ts';
import { memory } from './memory.ts';
import { routes } from './routes.ts';
import type { Scenario } from './scenario.ts';
import { swap } from './swap.ts';

export const SCENARIOS: readonly Scenario[] = [
  bare,
  routes,
  jwtRs256Limit,
  https,
  largeBody,
  swap,
  configPropagation,
  configChurn,
  memory,
  hop,
  propagation,
  scale,
  crash,
  slowEndpoint,
  limits,
];
