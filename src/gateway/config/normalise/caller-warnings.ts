/** Settings of plugins that are about who calls, on routes where nobody is asked who he is. */
import type { ConfigPath } from '../config-path.ts';
import type { RawDocument } from '../schema/document.ts';
import { mapPresent, type Draft } from './draft.ts';
import { parseIssuePath } from './plugin-list.ts';
import type { PlacedRoute } from './route-warnings.ts';

type RawList = RawDocument['plugins'];

interface PlacedPlugin {
  readonly name: string;
  readonly config: unknown;
  readonly path: ConfigPath;
}

/** `everywhere`: the plugins of all routes. What stands there itself may be meant for some of them alone. */
export function warnOfUnknownCallers(
  draft: Draft,
  routes: readonly PlacedRoute[],
  everywhere: RawList,
): void {
  if (placed(everywhere, ['plugins']).some((plugin) => authenticates(draft, plugin))) return;
  for (const { raw, path } of routes) {
    const own = [
      ...placed(raw.plugins, [...path, 'plugins']),
      ...ofTargets(raw.to, [...path, 'to']),
    ];
    if (own.some((plugin) => authenticates(draft, plugin))) continue;
    for (const plugin of own) warn(draft, plugin);
  }
}

function warn(draft: Draft, { name, config, path }: PlacedPlugin): void {
  const issue = draft.catalogue.get(name)?.needsCaller?.(config);
  if (issue === undefined) return;
  draft.report([...path, ...parseIssuePath(issue.path)], issue.message, {
    severity: 'warning',
    hint: 'add a plugin that authenticates, such as api-key or jwt, or set this to something else',
  });
}

function authenticates({ catalogue }: Draft, { name, config }: PlacedPlugin): boolean {
  const stage = catalogue.get(name)?.stage;
  return (typeof stage === 'function' ? stage(config) : stage) === 'authenticate';
}

function ofTargets(to: PlacedRoute['raw']['to'], path: ConfigPath): PlacedPlugin[] {
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
