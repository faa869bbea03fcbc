/** What differs between two configurations, object by object, without showing a secret. */
import { Comparison, type ConfigChange } from './comparison.ts';
import type { Config } from './config.ts';
import { NAMED_LISTS, PARTS } from './displayed-config.ts';

/**
 * The changes that lead from one configuration to another; none where they mean the same.
 * Objects with names are compared by name, other lists place by place.
 */
export function diffConfigs(before: Config, after: Config): readonly ConfigChange[] {
  const comparison = new Comparison(before.redactions, after.redactions);
  for (const part of PARTS) comparison.compare(part, part, before[part], after[part]);
  for (const list of NAMED_LISTS) {
    comparison.compareNamed<{ readonly name: string }>(list, before[list], after[list], withoutKey);
  }
  // It decides between those of equal rank.
  comparison.compareOrder('routes', before.routes, after.routes);
  return comparison.changes;
}

/** What fits a certificate is its key, and known no more where it was read back. */
function withoutKey(entry: object): object {
  return 'privateKey' in entry ? { ...entry, privateKey: undefined } : entry;
}

/** One line for people: `~ routes.orders.timeout: "10s" → "30s"`. */
export function toChangeText({ kind, path, before, after }: ConfigChange): string {
  if (kind === 'added') return `+ ${path}: ${JSON.stringify(after)}`;
  if (kind === 'removed') return `- ${path}: ${JSON.stringify(before)}`;
  return `~ ${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
}
