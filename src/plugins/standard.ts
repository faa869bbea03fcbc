/** The plugins that come with Meshgate, by name. */
import type { PluginDefinition } from './sdk/plugin.ts';
import { acl } from './acl/acl.ts';
import { apiKey } from './api-key/api-key.ts';
import { bodyLimit } from './body-limit/body-limit.ts';
import { cors } from './cors/cors.ts';
import { headers } from './headers/headers.ts';
import { ipFilter } from './ip-filter/ip-filter.ts';
import { jwt } from './jwt/jwt.ts';
import { rateLimit } from './rate-limit/rate-limit.ts';

/** In alphabetical order; which of them runs first is decided by stage and configuration. */
export const standardPlugins: ReadonlyMap<string, PluginDefinition> = new Map(
  [acl, apiKey, bodyLimit, cors, headers, ipFilter, jwt, rateLimit].map((plugin) => [
    plugin.name,
    plugin,
  ]),
);
