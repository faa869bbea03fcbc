/** What a slow endpoint among ten does to the slowest requests, by balancing policy. */
import { fileURLToPath } from 'node:url';
import type { BenchContext } from '../bench-context.ts';
import { runConstantRate } from '../constant-rate.ts';
import { LOAD_CORE } from '../cores.ts';
import { findFreePorts } from '../free-port.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';
import { median, percentile } from '../statistics.ts';
import { startMeshGateway, type MeshGateway } from './mesh-gateway.ts';

const ORIGIN = fileURLToPath(new URL('slow-origins.ts', import.meta.url));
const POLICIES = ['round-robin', 'least-request', 'peak-ewma'] as const;
const ENDPOINTS = 10;
const USUAL_MS = 5;
const SLOW_MS = 200;
const PER_SECOND = 400;
const LEAST_SECONDS = 8;

interface Measured {
  readonly policy: string;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

export const slowEndpoint: Scenario = {
  name: 'mesh-slow-endpoint',
  summary: `${PER_SECOND} GETs a second over ${ENDPOINTS} endpoints, of which one takes ${SLOW_MS} ms and the others ${USUAL_MS} ms. Latency is counted from when a request was due.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const ports = await findFreePorts(ENDPOINTS);
    const delays = ports.map((_, i) => (i === 0 ? SLOW_MS : USUAL_MS));
    const origins = await context.processes.start(
      [process.execPath, ORIGIN, ports.join(','), delays.join(',')],
      `${context.directory}/slow-origins.log`,
      { core: LOAD_CORE },
    );
    const gateways: MeshGateway[] = [];
    const measured: Measured[] = [];
    try {
      for (const policy of POLICIES) gateways.push(await startWith(context, policy, ports));
      for (let round = 0; round <= context.options.rounds; round++) {
        for (const [i, policy] of POLICIES.entries()) {
          const one = await measure(context, gateways[i]!, policy);
          // The first round is for the policies to get to know the endpoints.
          if (round > 0) measured.push(one);
        }
      }
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await origins.stop();
    }
    return toResult(measured);
  },
};

function startWith(
  context: BenchContext,
  policy: string,
  ports: readonly number[],
): Promise<MeshGateway> {
  return startMeshGateway(context, policy, {
    services: {
      orders: {
        endpoints: ports.map((port) => ({ address: `127.0.0.1:${port}` })),
        balancer: { policy },
      },
    },
    routes: [{ name: 'orders', to: 'orders' }],
  });
}

async function measure(
  { options, say }: BenchContext,
  gateway: MeshGateway,
  policy: string,
): Promise<Measured> {
  const { latenciesUs, failed } = await runConstantRate({
    url: gateway.url,
    paths: ['/'],
    perSecond: PER_SECOND,
    seconds: Math.max(LEAST_SECONDS, options.seconds),
    connections: 128,
  });
  const ms = (share: number) => percentile(latenciesUs, share) / 1000;
  const measured = { policy, p50Ms: ms(0.5), p90Ms: ms(0.9), p99Ms: ms(0.99), failed };
  say(`  ${policy}: p50 ${ms(0.5).toFixed(1)}, p99 ${ms(0.99).toFixed(1)} ms`);
  return measured;
}

function toResult(measured: readonly Measured[]): ScenarioResult {
  const failed = measured.reduce((sum, one) => sum + one.failed, 0);
  const row = (policy: string) => {
    const own = measured.filter((one) => one.policy === policy);
    const of = (key: 'p50Ms' | 'p90Ms' | 'p99Ms') => median(own.map((one) => one[key])).toFixed(1);
    return [policy, of('p50Ms'), of('p90Ms'), of('p99Ms')];
  };
  return {
    table: [['policy', 'p50 ms', 'p90 ms', 'p99 ms'], ...POLICIES.map(row)],
    notes: ['Medians over the rounds. Round-robin sends one request in ten to the slow endpoint.'],
    failures: failed === 0 ? [] : [`${failed} requests failed`],
    data: measured,
  };
}
