/** Prints what a call costs beside its transport, which is a stand-in; `node load-tests/micro/service-call.ts`. */
import { HeaderFields } from '../../src/plugins/sdk/header-fields.ts';
import { createLoadSet } from '../../src/mesh/balancing/load-set.ts';
import { createRoundRobin } from '../../src/mesh/balancing/round-robin.ts';
import { createEndpoint } from '../../src/mesh/endpoint.ts';
import { createCircuitBreaker } from '../../src/mesh/resilience/circuit-breaker.ts';
import type { HedgeRules } from '../../src/mesh/resilience/hedge-policy.ts';
import { createRetryBudget } from '../../src/mesh/resilience/retry-budget.ts';
import { createRetryRules } from '../../src/mesh/resilience/retry-policy.ts';
import type { CallRequest, CallSink } from '../../src/mesh/service/call.ts';
import { ServiceCall } from '../../src/mesh/service/service-call.ts';
import { TryOutcomes } from '../../src/mesh/service/try-outcomes.ts';
import { createTopologyRecorder } from '../../src/mesh/topology/recorder.ts';
import type { UpstreamCall, UpstreamSink } from '../../src/mesh/transport/upstream.ts';

const CALLS = 200_000;
const ROUNDS = 9;

const monotonic = (): number => performance.now();
const nothing = (): void => {};

const SILENT: CallSink = {
  onTry: nothing,
  onInformational: nothing,
  onHead: nothing,
  onData: nothing,
  onEnd: nothing,
  onUpgrade: nothing,
  onError: nothing,
};

/** One call after the other, each answered at once; nanoseconds of CPU per call, the best round. */
function measure(hedge: HedgeRules | undefined, latency: boolean, counted = false): number {
  const edge = counted ? createTopologyRecorder().edgeTo('orders') : undefined;
  const subset = createLoadSet({}, () => createRoundRobin({ random: Math.random }), Math.random);
  subset.update(
    [1, 2, 3].map((port) =>
      createEndpoint({ id: `${port}`, host: 'h', port, weight: 1, metadata: {} }, 0),
    ),
  );
  let sent: UpstreamSink | undefined;
  const upstreamCall: UpstreamCall = { pause: nothing, resume: nothing, abort: nothing };
  const breaker = createCircuitBreaker({ maxRequests: 1024, maxPending: 1024, maxConnections: 9 });
  const host: ConstructorParameters<typeof ServiceCall>[0] = {
    name: 'orders',
    isStopped: false,
    breaker,
    budget: createRetryBudget({ monotonic }),
    timeouts: { connectMs: 2000, responseMs: 15_000, idleMs: 60_000, keepAliveMs: 4000 },
    outcomes: new TryOutcomes({
      outliers: undefined,
      latency,
      timed: false,
      hedge,
      http2: false,
      monotonic,
      now: Date.now,
    }),
    environment: {
      monotonic,
      now: Date.now,
      random: Math.random,
      zone: undefined,
      onRetry: nothing,
      onEjection: nothing,
      onHealthEvent: nothing,
    },
    send(_endpoint, _request, sink) {
      sent = sink;
      return upstreamCall;
    },
    ended: (startedAtMs, failed) => edge?.record(monotonic() - startedAtMs, failed),
    release: () => breaker.release(),
  };
  const head = { target: '/', authority: 'orders', headers: [] };
  const request: CallRequest = {
    method: 'GET',
    subset,
    body: undefined,
    upgrade: undefined,
    expectContinue: false,
    retry: createRetryRules({}),
    hedge,
    perTryTimeoutMs: 0,
    timeoutMs: 30_000,
    toTry: () => head,
  };
  const headers = ['content-length', '2'];
  const chunk = Buffer.from('ok');
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) {
      new ServiceCall(host, request, SILENT).start();
      sent!.onHead(200, 'OK', new HeaderFields([...headers]));
      sent!.onData(chunk);
      sent!.onEnd(undefined);
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, ((user + system) * 1000) / CALLS);
  }
  return best;
}

console.log(`one try           ${measure(undefined, false).toFixed(0)} ns of CPU per call`);
console.log(`with peak-ewma    ${measure(undefined, true).toFixed(0)}`);
const hedge = { percentile: 0.95, minDelayMs: 10, attempts: 1 };
console.log(`with hedging on   ${measure(hedge, false).toFixed(0)}`);
console.log(`with its topology ${measure(undefined, false, true).toFixed(0)}`);
