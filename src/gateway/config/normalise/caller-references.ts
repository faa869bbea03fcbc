/** Consumers, and the groups they are in, as plugins refer to them by name. */
import type { ConfigReference } from '../../../plugins/sdk/define-plugin.ts';
import { toPointer, valueAt, type ConfigPath } from '../config-path.ts';
import type { ConsumerFacts } from '../entry-record.ts';
import { nearestNameHint } from '../nearest-name.ts';
import type { Draft } from './draft.ts';

/** Of a document: those of objects with errors included, so that one error does not bring others. */
export interface CallerNames {
  readonly consumers: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  /** Of both those that stand in the document itself, and so may be told. */
  readonly written: ReadonlySet<string>;
}

/**
 * `undefined` where it cannot be told, for a fault that is told about elsewhere. `known`: of consumers
 * that have been left out of the document, by their places.
 */
export function callerNamesOf(
  document: unknown,
  substituted: ReadonlyMap<string, unknown>,
  unresolved: ReadonlySet<string>,
  known: readonly (Pick<ConsumerFacts, 'name' | 'groups'> | undefined)[] = [],
): CallerNames | undefined {
  const consumers = new Set<string>();
  const groups = new Set<string>();
  const written = new Set<string>();
  const list = valueAt(document, ['consumers']) ?? [];
  if (!Array.isArray(list)) return undefined;

  function collect(names: Set<string>, path: ConfigPath): boolean {
    const name = valueAt(document, path);
    const pointer = toPointer(path);
    if (unresolved.has(pointer)) return false;
    if (typeof name !== 'string') return true;
    names.add(name);
    if (!substituted.has(pointer)) written.add(name);
    return true;
  }

  for (const i of list.keys()) {
    const facts = known[i];
    if (facts !== undefined) {
      consumers.add(facts.name);
      written.add(facts.name);
      for (const group of facts.groups) {
        groups.add(group);
        written.add(group);
      }
      continue;
    }
    if (!collect(consumers, ['consumers', i, 'name'])) return undefined;
    const own = valueAt(document, ['consumers', i, 'groups']);
    for (const j of Array.isArray(own) ? own.keys() : []) {
      if (!collect(groups, ['consumers', i, 'groups', j])) return undefined;
    }
  }
  return { consumers, groups, written };
}

export function isKnownCaller(callers: CallerNames, { to, name }: ConfigReference): boolean {
  return (to === 'consumer' ? callers.consumers : callers.groups).has(name);
}

/**
 * Reports a name that nobody has. A group without members is a warning: its first one may come
 * later, and until then it means what it says.
 */
export function checkCallerReference(
  { callers, report, traces }: Draft,
  reference: ConfigReference,
  path: ConfigPath,
): void {
  traces.callers.push(reference);
  if (callers === undefined || isKnownCaller(callers, reference)) return;
  const { to, name } = reference;
  const names = to === 'consumer' ? callers.consumers : callers.groups;
  const hint = nearestNameHint(name, names.intersection(callers.written));
  const quoted = JSON.stringify(name);
  if (to === 'consumer') {
    report(path, `there is no consumer ${quoted}`, { hint: hint ?? 'define it under consumers' });
  } else {
    report(path, `no consumer is in the group ${quoted}`, {
      severity: 'warning',
      hint: hint ?? 'give it to a consumer, or take it out',
    });
  }
}
