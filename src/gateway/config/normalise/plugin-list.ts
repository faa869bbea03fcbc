/** Lists of plugins, and what their own checks say. */
import type { PluginEntry } from '../config.ts';
import type { ConfigPath } from '../config-path.ts';
import { deepFreeze } from '../deep-freeze.ts';
import type { RawPluginList } from '../schema/plugin-list.ts';
import { checkCallerReference } from './caller-references.ts';
import { mapPresent, toAbsolutePath, type Draft } from './draft.ts';

/** Either form of a list, as entries in their order. */
export function toPluginEntries(
  draft: Draft,
  raw: RawPluginList,
  path: ConfigPath,
): readonly PluginEntry[] {
  const list = raw as readonly Readonly<Record<string, unknown>>[];
  return Array.isArray(raw)
    ? mapPresent(list, path, (item, place) => fromMapping(draft, item, place)).flat()
    : fromMapping(draft, raw as Readonly<Record<string, unknown>>, path);
}

function fromMapping(
  draft: Draft,
  raw: Readonly<Record<string, unknown>>,
  path: ConfigPath,
): PluginEntry[] {
  const entries: PluginEntry[] = [];
  for (const [name, rawConfig] of Object.entries(raw)) {
    const plugin = draft.catalogue.get(name);
    if (plugin === undefined) continue;
    // The clone has ordinary prototypes, which a plugin's author may count on.
    const config: unknown = deepFreeze(structuredClone(rawConfig));
    const place = [...path, name];
    try {
      for (const issue of plugin.check?.(config) ?? []) {
        draft.report([...place, ...parseIssuePath(issue.path)], issue.message);
      }
      for (const reference of plugin.references?.(config) ?? []) {
        checkCallerReference(draft, reference, [...place, ...parseIssuePath(reference.path)]);
      }
      for (const { path: at, file, check } of plugin.files?.(config) ?? []) {
        const filePath = [...place, ...parseIssuePath(at)];
        draft.pluginFiles.push({ file: toAbsolutePath(draft, file), path: filePath, check });
      }
    } catch (error) {
      draft.report(place, `the plugin's own check failed: ${String(error)}`);
    }
    entries.push({ name, config });
  }
  return entries;
}

/** `allow[2].name` as steps. */
export function parseIssuePath(text: string): ConfigPath {
  return [...text.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index === undefined ? (key ?? '') : Number(index),
  );
}
