/** One immutable, numbered version of everything the data plane needs to serve. */
import type { LoadSet } from '../../mesh/balancing/load-set.ts';
import type { Service } from '../../mesh/service/service.ts';
import type { WeightedChoice } from '../../mesh/balancing/weighted-choice.ts';
import type { RetryRules } from '../../mesh/resilience/retry-policy.ts';
import type { Answer } from '../../plugins/sdk/answer.ts';
import type { ConsumerDirectory } from '../../plugins/sdk/exchange.ts';
import type { RouteCells } from '../observe/request-metrics.ts';
import type { HookChain, PluginInstance } from '../pipeline/hooks.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { PathRewriter } from '../forward/path-rewrite.ts';
import type { StickyCookie } from '../forward/sticky-cookie.ts';
import type { HashOn } from './balancer-config.ts';
import type { RedirectConfig } from './route-config.ts';
import type { SnapshotLease } from './snapshot-lease.ts';

export interface Snapshot {
  /** Counts the snapshots of this process, from 1. */
  readonly revision: number;
  /** SHA-256 of the normalised configuration. */
  readonly hash: string;
  /** By name. */
  readonly listeners: ReadonlyMap<string, ListenerPlan>;
  readonly consumers: ConsumerDirectory;
  readonly services: ReadonlyMap<string, Service>;
  /** Exchanges that hold this snapshot; it is retired when another one serves and none is left. */
  readonly lease: SnapshotLease;
}

export type NameOwner = 'own' | 'other' | 'nobody';

/** What a listener does with a request, by snapshot. */
export interface ListenerPlan {
  readonly table: RouteTable<CompiledRoute>;
  /** Of a name, whose it is: the listener's own, another's alone, or nobody's. Undefined for a listener of any name. */
  readonly ownerOf: ((host: string) => NameOwner) | undefined;
  readonly redirectHttps: { readonly port: number; readonly status: number } | undefined;
}

export interface CompiledRoute {
  readonly name: string;
  readonly allowEncodedSlash: boolean;
  /** The whole exchange, in milliseconds; 0 is none. */
  readonly timeoutMs: number;
  readonly hooks: HookChain;
  /** Set where there is no choice: of many routes, each is cold, and this is one step to its target. */
  readonly soleTarget: CompiledTarget | undefined;
  /** Undefined where there is no choice: it is 0.8 of the 2.8 KB that a plain route would take up. */
  readonly targets: TargetChoice | undefined;
  readonly mirrors: readonly CompiledMirror[];
  readonly cells: RouteCells;
}

export interface TargetChoice extends WeightedChoice<CompiledTarget> {
  /** In the order of the file, those of weight 0 too. */
  readonly all: readonly { readonly weight: number; readonly compiled: CompiledTarget }[];
}

interface TargetFields {
  /** The route's answer hooks with the target's own after them. */
  readonly hooks: HookChain;
  /** The target's own `onRequest` hooks, run once it has been chosen. */
  readonly ownRequestHooks: readonly PluginInstance[];
}

export interface ForwardTarget extends TargetFields {
  readonly kind: 'service';
  readonly service: Service;
  readonly subset: LoadSet;
  /** Undefined: the service's policy goes by no hash. */
  readonly hashOn: HashOn | undefined;
  readonly sticky: StickyCookie | undefined;
  readonly rewritePath: PathRewriter | undefined;
  readonly rewriteHost: string | undefined;
  readonly retry: RetryRules;
  /** Over a whole try, in milliseconds; 0 is none. */
  readonly perTryTimeoutMs: number;
}

export interface RedirectingTarget extends TargetFields {
  readonly kind: 'redirect';
  readonly redirect: RedirectConfig;
}

export interface RespondingTarget extends TargetFields {
  readonly kind: 'respond';
  readonly answer: Answer;
}

export type CompiledTarget = ForwardTarget | RedirectingTarget | RespondingTarget;

export interface CompiledMirror {
  readonly service: Service;
  readonly subset: LoadSet;
  /** Probability in [0, 1]. */
  readonly share: number;
}
