/** Names of the fields and query parameters that carry secrets, as far as a configuration tells. */
import type { SecretNames } from '../observe/hidden-fields.ts';
import type { Config, PluginEntry } from './config.ts';
import type { PluginCatalogue } from './plugin-catalogue.ts';

const LAST_KEY = /(?:\["([^"]+)"\]|\.([^.[\]"]+))(?:\[\d+\])*$/;

/** Of whatever configuration is in force when it is asked; worked out once for each. */
export function createSecretNames(
  current: () => Config,
  catalogue: PluginCatalogue,
): () => SecretNames {
  let last: { readonly config: Config; readonly names: SecretNames } | undefined;
  return () => {
    const config = current();
    if (last?.config !== config) last = { config, names: secretNamesOf(config, catalogue) };
    return last.names;
  };
}

/** What plugins read credentials from, and what they are told to write by a value that was substituted. */
export function secretNamesOf(
  { plugins, routes, redactions }: Pick<Config, 'plugins' | 'routes' | 'redactions'>,
  catalogue: PluginCatalogue,
): SecretNames {
  const headers = new Set<string>();
  const queries = new Set<string>();
  const addSourcesOf = ({ name, config }: PluginEntry): void => {
    for (const source of catalogue.get(name)?.credentials?.(config) ?? []) {
      // Cookies are never shown.
      if ('header' in source) headers.add(source.header.toLowerCase());
      else if ('query' in source) queries.add(source.query.toLowerCase());
    }
  };
  plugins.forEach(addSourcesOf);
  for (const route of routes) {
    route.plugins.forEach(addSourcesOf);
    for (const target of route.targets) target.plugins.forEach(addSourcesOf);
  }
  for (const { path } of redactions) {
    if (!path.includes('plugins[')) continue;
    // Rather a field too many: `plugins[0].config.request.set.x-upstream-key`, or `….add["x.key"][1]`.
    const [, quoted, plain = quoted] = LAST_KEY.exec(path) ?? [];
    if (plain !== undefined) headers.add(plain.toLowerCase());
  }
  return { headers, queries };
}
