/** The plugins that a configuration may name, by name. */
import type { PluginDefinition } from '../../plugins/sdk/define-plugin.ts';

export type PluginCatalogue = ReadonlyMap<string, PluginDefinition>;
