/** The schema of `plugins`; what may stand in it depends on the catalogue of plugins. */
import { Type, type TSchema } from 'typebox';
import type { PluginCatalogue } from '../plugin-catalogue.ts';

/** Plugins by name in a mapping, or a list of mappings with one plugin each. */
export type RawPluginList =
  | readonly Readonly<Record<string, unknown>>[]
  | Readonly<Record<string, unknown>>;

const PLUGIN_LIST_ID = 'meshgate:plugins';

/** Refers to the definition that `definePluginList` makes. */
export function PluginList(description: string) {
  return Type.Unsafe<RawPluginList>({ $ref: PLUGIN_LIST_ID, default: [], description });
}

/** What `PluginList` refers to, with every plugin of the catalogue. */
export function definePluginList(catalogue: PluginCatalogue): Record<string, TSchema> {
  const properties: Record<string, TSchema> = {};
  for (const name of catalogue.keys()) {
    properties[name] = Type.Unsafe({ $ref: `meshgate:plugin-${name}` });
  }
  const map = { type: 'object', properties, additionalProperties: false };
  const definitions: Record<string, TSchema> = {
    [PLUGIN_LIST_ID]: Type.Unsafe({
      anyOf: [{ type: 'array', items: { ...map, minProperties: 1, maxProperties: 1 } }, map],
    }),
  };
  for (const [name, plugin] of catalogue) definitions[`meshgate:plugin-${name}`] = plugin.config;
  return definitions;
}
