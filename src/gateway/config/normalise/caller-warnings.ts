/** Settings of plugins that are about who calls, on routes where nobody is asked who he is. */
import type { ConfigPath } from '../config-path.ts';
import type { RouteFacts } from '../entry-record.ts';
import type { RawDocument } from '../schema/document.ts';
import { mapPresent, type Draft } from './draft.ts';
import { parseIssuePath } from './plugin-list.ts';
import type { RawRoute } from '../schema/route.ts';
import type { PlacedFacts } from './route-warnings.ts';

type RawList = RawDocument['plugins'];

interface PlacedPlugin {
  readonly name: string;
  readonly config: unknown;
  readonly path: ConfigPath;
}

/** `everywhere`: the plugins of all routes. What stands there itself may be meant for some of them alone. */
export function warnOfUnknownCallers(
  draft: Draft,
  routes: readonly PlacedFacts[],
  everywhere: RawList,
): void {
  if (placed(everywhere, ['plugins']).some((plugin) => authenticates(draft, plugin))) return;
  for (const { facts, path } of routes) {
    for (const { place, message } of facts.callerIssues) {
      draft.report([...path, ...place], message, {
        severity: 'warning',
        hint: 'add a plugin that authenticates, such as api-key or jwt, or set this to something else',
      });
    }
  }
}

const NO_ISSUES: RouteFacts['callerIssues'] = Object.freeze([]);

/** What means nothing on this route, unless callers are known on all of them; places within the route. */
export function callerIssuesOf(
  draft: Draft,
  { plugins, to }: Pick<RawRoute, 'plugins' | 'to'>,
): RouteFacts['callerIssues'] {
  const own = [...placed(plugins, ['plugins']), ...ofTargets(to, ['to'])];
  if (own.length === 0 || own.some((plugin) => authenticates(draft, plugin))) return NO_ISSUES;
  return own.flatMap(({ name, config, path }) => {
    const issue = draft.catalogue.get(name)?.needsCaller?.(config);
    if (issue === undefined) return [];
    return [{ place: [...path, ...parseIssuePath(issue.path)], message: issue.message }];
  });
}

function authenticates({ catalogue }: Draft, { name, config }: PlacedPlugin): boolean {
  const stage = catalogue.get(name)?.stage;
  return (typeof stage === 'function' ? stage(config) : stage) === 'authenticate';
}

function ofTargets(to: RawRoute['to'], path: ConfigPath): PlacedPlugin[] {
  if (typeof to !== 'object') return [];
  return Array.isArray(to)
    ? mapPresent(to, path, (target, at) => placed(target.plugins, [...at, 'plugins'])).flat()
    : placed(to.plugins, [...path, 'plugins']);
}

function placed(raw: RawList, path: ConfigPath): PlacedPlugin[] {
  const list = raw as readonly Readonly<Record<string, unknown>>[];
  const ofMapping = (mapping: object, at: ConfigPath): PlacedPlugin[] =>
    Object.entries(mapping)
      // What had faults has been taken out.
      .filter(([, config]) => config !== undefined)
      .map(([name, config]) => ({ name, config, path: [...at, name] }));
  return Array.isArray(raw) ? mapPresent(list, path, ofMapping).flat() : ofMapping(raw, path);
}
