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
import type {
  CompiledMirror,
  CompiledRoute,
  CompiledTarget,
  ForwardTarget,
  TargetChoice,
} from './snapshot.ts';

export interface RouteCompiler {
  readonly service: (name: string) => Service;
  readonly balancer: (service: string) => BalancerConfig;
  readonly plugin: (entry: PluginEntry, scope: string | undefined) => PluginInstance;
  readonly cellsOf: (route: string) => RouteCells;
  /** The plugins on every route. */
  readonly everywhere: readonly PluginInstance[];
  /** Chains made so far, by the key of their instances: most routes of a large file share one. */
  readonly chains: WeakMap<readonly PluginInstance[], HookChain>;
}

/** Shared, as most routes have none: that of its own is one more thing to read that is not in the cache. */
const NO_HOOKS: readonly PluginInstance[] = Object.freeze([]);
const NO_MIRRORS: readonly CompiledMirror[] = Object.freeze([]);

export function compileRoute(route: RouteConfig, compiler: RouteCompiler): CompiledRoute {
  const instances = withOwn(compiler.everywhere, route.plugins, route.name, compiler);
  const targets = route.targets.map((target, index) => ({
    weight: target.weight,
    compiled: compileTarget(target, route, index, instances, compiler),
  }));
  const sole = targets.length === 1 ? targets[0]! : undefined;
  const soleTarget = sole !== undefined && sole.weight > 0 ? sole.compiled : undefined;
  return {
    name: route.name,
    allowEncodedSlash: route.allowEncodedSlash,
    timeoutMs: route.timeoutMs,
    hooks: chainOf(instances, compiler),
    soleTarget,
    targets: soleTarget === undefined ? createWeightedTargets(targets) : undefined,
    mirrors: route.mirrors.length === 0 ? NO_MIRRORS : compileMirrors(route, compiler),
    cells: compiler.cellsOf(route.name),
  };
}

function compileMirrors(
  { mirrors }: RouteConfig,
  compiler: RouteCompiler,
): readonly CompiledMirror[] {
  return mirrors.map(({ service, where, percent }) => ({
    service: compiler.service(service),
    subset: compiler.service(service).subset(where),
    share: percent / 100,
  }));
}

function compileTarget(
  target: Target,
  route: RouteConfig,
  index: number,
  ofRoute: readonly PluginInstance[],
  compiler: RouteCompiler,
): CompiledTarget {
  const all = withOwn(ofRoute, target.plugins, `${route.name}.to[${index}]`, compiler);
  const hooks = chainOf(all, compiler);
  const ownRequestHooks =
    target.plugins.length === 0 ? NO_HOOKS : requestHooks(all.slice(ofRoute.length));
  switch (target.kind) {
    case 'service':
      return compileForwarding(target, route, compiler, hooks, ownRequestHooks);
    case 'redirect':
      return { kind: 'redirect', hooks, ownRequestHooks, redirect: target.redirect };
    case 'respond':
      return { kind: 'respond', hooks, ownRequestHooks, answer: target.respond };
    default:
      return target satisfies never;
  }
}

function compileForwarding(
  target: ServiceTarget,
  route: RouteConfig,
  compiler: RouteCompiler,
  hooks: HookChain,
  ownRequestHooks: readonly PluginInstance[],
): ForwardTarget {
  const service = compiler.service(target.service);
  const { hashOn, sticky } = compiler.balancer(target.service);
  const rewrite = target.rewrite ?? route.rewrite;
  // Written out, not spread: what is spread lies apart from its object, and is two misses more.
  return {
    kind: 'service',
    hooks,
    ownRequestHooks,
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

function createWeightedTargets(targets: TargetChoice['all']): TargetChoice {
  const choice = createWeightedChoice(targets, ({ weight }) => weight);
  return { choose: (random) => choice.choose(random)?.compiled, all: targets };
}
