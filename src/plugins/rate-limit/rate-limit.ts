/** rate-limit: so many requests, or points, per caller and window; the rest is refused with 429. */
import {
  definePlugin,
  durationMs,
  problem,
  type Problem,
  type ConfigIssue,
  type Exchange,
  type HookResult,
  type LimitVerdict,
} from '../sdk/plugin.ts';
import { bindCallerKey } from './caller-key.ts';
import { bindLimitFields, retryAfterSeconds } from './limit-fields.ts';
import { RateLimitConfig, type CountedBy } from './schema.ts';

/** Optional in the schema: only a consumer that was asked for can be missed. */
const byOf = ({ by = 'consumer' }: RateLimitConfig): CountedBy => by;

/** What of the caller has to be known for it; undefined where anybody can be counted. */
function partOfCaller(by: CountedBy | undefined): 'consumer' | 'claim' | undefined {
  if (by === 'consumer') return by;
  return typeof by === 'object' && 'claim' in by ? 'claim' : undefined;
}

/** After authentication only where the key depends on it: elsewhere a flood is best refused first. */
function stageOf(config: RateLimitConfig): 'edge' | 'shape' {
  return partOfCaller(byOf(config)) === undefined ? 'edge' : 'shape';
}

function check(config: RateLimitConfig): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  if (durationMs(config.window) === 0) {
    issues.push({ path: 'window', message: 'must be longer than nothing, e.g. 1s' });
  }
  const costs: [path: string, cost: number][] =
    typeof config.cost === 'number'
      ? [['cost', config.cost]]
      : Object.entries(config.cost).map(([method, cost]) => [`cost.${method}`, cost]);
  for (const [path, cost] of costs) {
    if (cost > config.limit) {
      const message = `${cost} is more than the limit of ${config.limit}: such a request would never be let through`;
      issues.push({ path, message });
    }
  }
  return issues;
}

/**
 * Limits that no name joins are kept apart by all that makes their keys or their counting
 * different. Not by `limit`: a reload that changes it goes on with the counts it finds.
 */
function limiterName(config: RateLimitConfig, route: string | undefined): string {
  const owner =
    config.name !== undefined ? { name: config.name } : { route: route ?? null, cost: config.cost };
  return JSON.stringify([owner, byOf(config)]);
}

function bindCost(cost: RateLimitConfig['cost']): (method: string) => number {
  if (typeof cost === 'number') return () => cost;
  const byMethod = new Map(Object.entries(cost));
  return (method) => byMethod.get(method) ?? 1;
}

function needsCaller({ by }: RateLimitConfig): ConfigIssue | undefined {
  const what = partOfCaller(by);
  if (what === undefined) return undefined;
  return { path: 'by', message: `nobody has a ${what} on this route: each address is counted` };
}

/** Not 429: this caller may have done nothing. 503 says that it is the gateway that cannot (RFC 9110 §15.6.4). */
function refusedUnseen(seconds: number): Problem {
  return problem(503, 'overloaded', {
    detail: 'The limit of this route cannot be checked at the moment.',
    headers: { 'Retry-After': String(seconds) },
  });
}

export const rateLimit = definePlugin({
  name: 'rate-limit',
  config: RateLimitConfig,
  stage: stageOf,
  // A counter that is out of order must not take the service down with it.
  onError: 'open',
  check,
  needsCaller,
  dryRunNote: ({ limit, window }) => `unless the limit of ${limit} in ${window} is used up`,
  create(config, { counters, metrics, route }) {
    const windowMs = durationMs(config.window);
    const name = limiterName(config, route);
    const { limit: points, mode, onUnavailable } = config;
    const limiter = counters.limiter({ name, points, windowMs, mode, onUnavailable });
    const fallbacks = metrics.counter(
      'fallbacks_total',
      'Requests that a limit decided on without Redis, by what decided.',
      ['route', 'fallback'],
    );
    const keyOf = bindCallerKey(byOf(config), config.name !== undefined);
    const costOf = bindCost(config.cost);
    const addFields = bindLimitFields(config.name ?? route ?? 'default', config.limit, windowMs);
    /** In `exchange.state`: this instance's verdict, and that these counts were charged. */
    const verdictKey = Symbol('rate-limit verdict');
    const chargedKey = `rate-limit charged ${windowMs} ${name}`;

    const settle = (exchange: Exchange, verdict: LimitVerdict, cost: number): HookResult => {
      if (config.headers) exchange.state.set(verdictKey, verdict);
      const { fallback } = verdict;
      if (fallback !== undefined && !exchange.dryRun)
        fallbacks.inc({ route: exchange.route, fallback });
      if (verdict.allowed || cost === 0) return undefined;
      const seconds = retryAfterSeconds(verdict.resetMs);
      if (fallback === 'closed') return refusedUnseen(seconds);
      return problem(config.status, 'rate_limited', {
        detail: `Too many requests; try again in ${seconds} s.`,
        headers: { 'Retry-After': String(seconds) },
      });
    };

    return {
      onRequest(exchange) {
        const cost = costOf(exchange.request.method);
        // One name may stand on a route and on its target too: one request, one charge.
        const charged = exchange.state.has(chargedKey);
        const spends = cost > 0 && !charged && !exchange.dryRun;
        const key = keyOf(exchange);
        const verdict = spends ? limiter.consume(key, cost) : limiter.peek(key, charged ? 0 : cost);
        if (spends) exchange.state.set(chargedKey, true);
        return verdict instanceof Promise
          ? verdict.then((late) => settle(exchange, late, cost))
          : settle(exchange, verdict, cost);
      },
      ...(config.headers && {
        onResponse(exchange: Exchange) {
          const verdict = exchange.state.get(verdictKey) as LimitVerdict | undefined;
          if (verdict !== undefined) addFields(exchange.response.headers, verdict);
        },
      }),
    };
  },
});
