/** Services: how their endpoints are chosen. */
import { isHashing } from '../../../mesh/balancing/policies.ts';
import type { BalancerConfig, HashOn } from '../balancer-config.ts';
import type { ConfigPath } from '../config-path.ts';
import type { RawBalancer } from '../schema/balancer.ts';
import { toDurationMs, type Draft } from './draft.ts';

const CLIENT_ADDRESS: HashOn = { kind: 'ip', name: '' };

export function toBalancer(draft: Draft, raw: RawBalancer, path: ConfigPath): BalancerConfig {
  const { policy, hashOn, hashBalanceFactor, sticky, slowStart, zoneAware } = raw;
  const hashing = isHashing(policy);
  checkKeys(draft, raw, path, hashing);
  return {
    policy,
    hashOn: hashing ? (hashOn === undefined ? CLIENT_ADDRESS : toHashOn(hashOn)) : undefined,
    hashBalanceFactor,
    sticky: sticky && {
      cookie: sticky.cookie,
      maxAgeMs:
        sticky.maxAge === undefined
          ? undefined
          : toDurationMs(draft, sticky.maxAge, [...path, 'sticky', 'maxAge'], 1),
      secret: sticky.secret,
    },
    slowStart: slowStart && {
      windowMs: toDurationMs(draft, slowStart.window, [...path, 'slowStart', 'window'], 1),
      aggression: slowStart.aggression,
    },
    zoneAware: zoneAware ?? !hashing,
  };
}

/** A key that a policy would pass over in silence is an error. */
function checkKeys(draft: Draft, raw: RawBalancer, path: ConfigPath, hashing: boolean): void {
  const needless = hashing
    ? ([
        ['slowStart', raw.slowStart !== undefined],
        ['zoneAware', raw.zoneAware === true],
      ] as const)
    : ([
        ['hashOn', raw.hashOn !== undefined],
        ['hashBalanceFactor', raw.hashBalanceFactor !== undefined],
      ] as const);
  for (const [key, isSet] of needless) {
    if (!isSet) continue;
    draft.report([...path, key], `"${key}" means nothing to the policy ${raw.policy}`, {
      at: 'key',
      hint: hashing
        ? 'remove it: equal keys stay on their endpoint'
        : 'set policy to ring-hash or maglev',
    });
  }
}

function toHashOn({ header, cookie, query }: NonNullable<RawBalancer['hashOn']>): HashOn {
  if (header !== undefined) return { kind: 'header', name: header.toLowerCase() };
  if (cookie !== undefined) return { kind: 'cookie', name: cookie };
  return query === undefined ? CLIENT_ADDRESS : { kind: 'query', name: query };
}
