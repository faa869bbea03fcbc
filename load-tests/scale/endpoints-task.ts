/** Prints, as JSON, what a service of few and of many endpoints costs: a pick, a change, memory; `node --expose-gc`. */
import { createBalancer } from '../../src/mesh/balancing/balancer.ts';
import { balancingPolicies, type PolicyName } from '../../src/mesh/balancing/policies.ts';
import { reconcileEndpoints, type Endpoint, type EndpointSpec } from '../../src/mesh/endpoint.ts';

export interface EndpointCost {
  readonly policy: PolicyName;
  readonly endpoints: number;
  readonly pickNs: number;
  /** Of the event loop, when one endpoint comes. */
  readonly changeMs: number;
  /** The same, when one is ejected. */
  readonly refreshMs: number;
  readonly heapBytesEach: number;
}

const SIZES = [10, 10_000];
/** The system counts CPU time in steps of some milliseconds: what is short is done often. */
const CHANGES = 40;
const PICKS = 1_000_000;
const random = Math.random;
const monotonic = (): number => performance.now();

function toSpecs(count: number): EndpointSpec[] {
  return Array.from({ length: count }, (_, i) => {
    const host = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
    const metadata = { version: 'v1', zone: `zone-${i % 3}` };
    return { id: `${host}:8080`, host, port: 8080, weight: 1, metadata };
  });
}

/** Milliseconds of CPU: what else runs on the core is none of its business. */
function timed(work: () => void): number {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

function measure(policy: PolicyName, size: number): EndpointCost {
  globalThis.gc!();
  const before = process.memoryUsage().heapUsed;
  const balancer = createBalancer({ policy, random, monotonic });
  let endpoints: readonly Endpoint[] = [];
  const use = (specs: readonly EndpointSpec[]): void => {
    ({ endpoints } = reconcileEndpoints(endpoints, specs, monotonic()));
    balancer.update(endpoints);
  };
  const subset = balancer.subset();
  const specs = toSpecs(size + 1);
  const fewer = specs.slice(0, size);
  use(fewer);
  globalThis.gc!();
  const heapBytesEach = (process.memoryUsage().heapUsed - before) / size;
  let changeMs = 0;
  let refreshMs = 0;
  for (let n = 0; n < CHANGES; n++) {
    changeMs += timed(() => use(n % 2 === 0 ? specs : fewer));
    endpoints[0]!.ejected = n % 2 === 0;
    refreshMs += timed(() => balancer.refresh());
  }
  const hint = { exclude: [], hash: 0 };
  const pickMs = timed(() => {
    for (let i = 0; i < PICKS; i++) {
      hint.hash = (i * 450_359_962_737) % Number.MAX_SAFE_INTEGER;
      if (subset.pick(hint) === undefined) throw new Error('nobody was picked');
    }
  });
  return {
    policy,
    endpoints: size,
    pickNs: (pickMs * 1e6) / PICKS,
    changeMs: changeMs / CHANGES,
    refreshMs: refreshMs / CHANGES,
    heapBytesEach,
  };
}

const costs = (Object.keys(balancingPolicies) as PolicyName[]).flatMap((policy) =>
  SIZES.map((size) => measure(policy, size)),
);
console.log(JSON.stringify(costs));
