/** One route → what the request path needs of it: bound hooks, targets, rewrites and metric cells. */
import { createWeightedChoice } from '../../mesh/balancing/weighted-choice.ts';
import { createRetryRules, type RetryRules } from '../../mesh/resilience/retry-policy.ts';
import type { Service } from '../../mesh/service/service.ts';
import { createPathRewriter } from '../forward/path-rewrite.ts';
import { createStickyCookie } from '../forward/sticky-cookie.ts';
import type { RouteCells } from '../observe/request-metrics.ts';
import { createHookChain, requestHooks } from '../pipeline/hook-chain.ts';
import type { HookChain, PluginInstance } from '../pipeline/hooks.ts';
import type { BalancerConfig } from './balancer-config.ts';
import type { PluginEntry } from './config.ts';
import type { RouteConfig, RouteRetry, ServiceTarget, Target } from './route-config.ts';
import type { CompiledRoute, CompiledTarget, ForwardTarget } from './snapshot.ts';

export interface RouteCompiler {
  readonly service: (name: string) => Service;
  readonly balancer: (service: string) => BalancerConfig;
  readonly plugin: (entry: PluginEntry, scope: string | undefined) => PluginInstance;
  readonly cellsOf: (route: string) => RouteCells;
  /** The plugins on every route. */
  readonly everywhere: readonly PluginInstance[];
  /** Chains made so far, by the key of their instances: most routes of a large file share one. */
  readonly chains: Map<readonly PluginInstance[], HookChain>;
}

export function compileRoute(route: RouteConfig, compiler: RouteCompiler): CompiledRoute {
  const instances = withOwn(compiler.everywhere, route.plugins, route.name, compiler);
  const targets = route.targets.map((target, index) => ({
    weight: target.weight,
    compiled: compileTarget(target, route, index, instances, compiler),
  }));
  return {
    name: route.name,
    allowEncodedSlash: route.allowEncodedSlash,
    timeoutMs: route.timeoutMs,
    hooks: chainOf(instances, compiler),
    soleTarget: targets.length === 1 && targets[0]!.weight > 0 ? targets[0]!.compiled : undefined,
    targets: createWeightedTargets(targets),
    mirrors: route.mirrors.map(({ service, where, percent }) => ({
      service: compiler.service(service),
      subset: compiler.service(service).subset(where),
      share: percent / 100,
    })),
    cells: compiler.cellsOf(route.name),
  };
}

function compileTarget(
  target: Target,
  route: RouteConfig,
  index: number,
  ofRoute: readonly PluginInstance[],
  compiler: RouteCompiler,
): CompiledTarget {
  const all = withOwn(ofRoute, target.plugins, `${route.name}.to[${index}]`, compiler);
  const fields = {
    hooks: chainOf(all, compiler),
    ownRequestHooks: requestHooks(all.slice(ofRoute.length)),
  };
  switch (target.kind) {
    case 'service':
      return { ...fields, ...compileForwarding(target, route, compiler) };
    case 'redirect':
      return { ...fields, kind: 'redirect', redirect: target.redirect };
    case 'respond':
      return { ...fields, kind: 'respond', answer: target.respond };
    default:
      return target satisfies never;
  }
}

function compileForwarding(
  target: ServiceTarget,
  route: RouteConfig,
  compiler: RouteCompiler,
): Omit<ForwardTarget, 'hooks' | 'ownRequestHooks'> {
  const service = compiler.service(target.service);
  const { hashOn, sticky } = compiler.balancer(target.service);
  const rewrite = target.rewrite ?? route.rewrite;
  return {
    kind: 'service',
    service,
    subset: service.subset(target.where),
    hashOn,
    sticky:
      sticky === undefined || service.sticky === undefined
        ? undefined
        : createStickyCookie(sticky, service.sticky),
    rewritePath: rewrite?.path === undefined ? undefined : createPathRewriter(rewrite.path),
    rewriteHost: rewrite?.host,
    retry: route.retry === undefined ? service.retry : routeRetry(service.retry, route.retry),
    perTryTimeoutMs: route.retry?.perTryTimeoutMs ?? service.perTryTimeoutMs,
  };
}

/** What the route sets, in place of what its service has. */
function routeRetry(service: RetryRules, { attempts, on }: RouteRetry): RetryRules {
  return createRetryRules({
    attempts: attempts ?? service.attempts,
    on: on ?? [...service.conditions],
  });
}

function withOwn(
  inherited: readonly PluginInstance[],
  own: readonly PluginEntry[],
  scope: string,
  compiler: RouteCompiler,
): readonly PluginInstance[] {
  if (own.length === 0) return inherited;
  return [...inherited, ...own.map((entry) => compiler.plugin(entry, scope))];
}

function chainOf(instances: readonly PluginInstance[], { chains }: RouteCompiler): HookChain {
  let chain = chains.get(instances);
  if (chain === undefined) {
    chain = createHookChain(instances);
    chains.set(instances, chain);
  }
  return chain;
}

function createWeightedTargets(targets: CompiledRoute['targets']['all']): CompiledRoute['targets'] {
  const choice = createWeightedChoice(targets, ({ weight }) => weight);
  return { choose: (random) => choice.choose(random)?.compiled, all: targets };
}
