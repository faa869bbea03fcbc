/** Routes: one shape for all the ways of writing one. */
import type { MatchEntry, MirrorConfig, RouteConfig, RouteRetry, Target } from '../route-config.ts';
import type { RetryCondition } from '../../../mesh/resilience/retry-policy.ts';
import type { ConfigPath } from '../config-path.ts';
import type { RawMirror, RawRoute, RawTarget } from '../schema/route.ts';
import { checkReference, mapPresent, toDurationMs, toRecord, type Draft } from './draft.ts';
import { toMatchEntries } from './match.ts';
import { toPluginEntries } from './plugin-list.ts';
import { toRedirect, toRespond, toRewrite } from './rewrite.ts';

const DESTINATIONS = ['to', 'redirect', 'respond'] as const;

export function toRoute(draft: Draft, raw: RawRoute, path: ConfigPath): RouteConfig {
  const matches = toMatchEntries(draft, raw.match, [...path, 'match']);
  checkDestination(draft, raw, path);
  return {
    name: raw.name,
    priority: raw.priority,
    listeners: mapPresent(raw.listeners, [...path, 'listeners'], (listener, place) => {
      checkReference(draft, 'listener', listener, place);
      return listener;
    }),
    matches,
    targets: toTargets(draft, raw, path, matches),
    rewrite: toRewrite(draft, raw.rewrite, [...path, 'rewrite'], matches),
    timeoutMs: toDurationMs(draft, raw.timeout, [...path, 'timeout']),
    retry: toRouteRetry(draft, raw, [...path, 'retry']),
    mirrors: mapPresent(raw.mirror, [...path, 'mirror'], (mirror, place) =>
      toMirror(draft, mirror, place),
    ),
    plugins: toPluginEntries(draft, raw.plugins, [...path, 'plugins']),
    allowEncodedSlash: raw.allowEncodedSlash,
  };
}

function checkDestination(draft: Draft, raw: RawRoute, path: ConfigPath): void {
  const [first, second] = DESTINATIONS.filter((destination) => raw[destination] !== undefined);
  if (first === undefined) {
    draft.report(path, 'the route leads nowhere', { hint: 'give it one of to, redirect, respond' });
  }
  if (second !== undefined) {
    draft.report([...path, second], `"${second}" cannot stand beside "${first}"`, {
      at: 'key',
      hint: 'a route has one of to, redirect, respond',
    });
  }
  if (raw.rewrite !== undefined && raw.to === undefined && first !== undefined) {
    draft.report([...path, 'rewrite'], `"rewrite" cannot stand beside "${first}"`, {
      at: 'key',
      hint: 'only what goes to a service is rewritten',
    });
  }
}

function toTargets(
  draft: Draft,
  raw: RawRoute,
  path: ConfigPath,
  matches: readonly MatchEntry[],
): readonly Target[] {
  const { to } = raw;
  const alone = { weight: 1, plugins: [] };
  if (typeof to === 'string') {
    checkReference(draft, 'service', to, [...path, 'to']);
    return [{ ...alone, kind: 'service', service: to, where: {}, rewrite: undefined }];
  }
  if (Array.isArray(to)) {
    const place = [...path, 'to'];
    return mapPresent(to, place, (target, at) => toTarget(draft, target, at, matches)).flat();
  }
  if (to !== undefined) return toTarget(draft, to, [...path, 'to'], matches);
  if (raw.redirect !== undefined) {
    const redirect = toRedirect(draft, raw.redirect, [...path, 'redirect'], matches);
    return [{ ...alone, kind: 'redirect', redirect }];
  }
  if (raw.respond === undefined) return [];
  const respond = toRespond(draft, raw.respond, [...path, 'respond']);
  return [{ ...alone, kind: 'respond', respond }];
}

/** None where the target leads nowhere, which is reported. */
function toTarget(
  draft: Draft,
  raw: RawTarget,
  path: ConfigPath,
  matches: readonly MatchEntry[],
): Target[] {
  const { service, weight } = raw;
  const plugins = toPluginEntries(draft, raw.plugins, [...path, 'plugins']);
  const rewrite = toRewrite(draft, raw.rewrite, [...path, 'rewrite'], matches);
  if (service !== undefined) checkReference(draft, 'service', service, [...path, 'service']);
  if (raw.respond !== undefined) {
    const beside = (['service', 'redirect', 'rewrite'] as const).find(
      (key) => raw[key] !== undefined,
    );
    if (beside !== undefined) {
      draft.report([...path, 'respond'], `"respond" cannot stand beside "${beside}"`, {
        at: 'key',
      });
    }
    const respond = toRespond(draft, raw.respond, [...path, 'respond']);
    return [{ kind: 'respond', weight, plugins, respond }];
  }
  if (raw.redirect !== undefined) {
    if (raw.rewrite !== undefined) {
      draft.report([...path, 'rewrite'], '"rewrite" cannot stand beside "redirect"', { at: 'key' });
    }
    // A service beside a redirect is what Gateway API filters are written on; it gets nothing.
    const redirect = toRedirect(draft, raw.redirect, [...path, 'redirect'], matches);
    return [{ kind: 'redirect', weight, plugins, redirect }];
  }
  if (service === undefined) {
    draft.report(path, 'the target leads nowhere', {
      hint: 'give it one of service, redirect, respond',
    });
    return [];
  }
  return [{ kind: 'service', weight, plugins, service, where: toRecord(raw.where), rewrite }];
}

function toMirror(draft: Draft, raw: RawMirror, path: ConfigPath): MirrorConfig {
  checkReference(draft, 'service', raw.service, [...path, 'service']);
  return { service: raw.service, where: toRecord(raw.where), percent: raw.percent };
}

function toRouteRetry(draft: Draft, { retry }: RawRoute, path: ConfigPath): RouteRetry | undefined {
  if (retry === undefined) return undefined;
  return {
    attempts: retry.attempts,
    on: retry.on as readonly RetryCondition[] | undefined,
    perTryTimeoutMs:
      retry.perTryTimeout === undefined
        ? undefined
        : toDurationMs(draft, retry.perTryTimeout, [...path, 'perTryTimeout']),
  };
}
