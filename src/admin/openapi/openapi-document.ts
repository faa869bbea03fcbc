/** The admin API as an OpenAPI 3.1 document, made of the routes themselves. */
import type { FastifyInstance, RouteOptions } from 'fastify';
import { Type } from 'typebox';
import type { PluginCatalogue } from '../../gateway/config/plugin-catalogue.ts';
import { VERSION } from '../../version.ts';
import { refusals } from '../resources/refusals.ts';
import { toConfigurationSchemas } from './configuration-schemas.ts';
import { toForwarded } from './forwarded-operations.ts';
import { toOperation, type Operation } from './operations.ts';
import { createSchemas } from './schemas.ts';

/** Plain JSON. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

const DESCRIPTION = `What operators, tools and the dashboard ask a Meshgate node.

- **Tokens** go as \`Authorization: Bearer …\`. \`x-role\` of an operation is the least role that may ask: viewer < operator < admin. A token may have a scope of names and labels.
- **Refusals** are problem+json (RFC 9457) with a stable \`code\`; \`errors\` points at each field that is wrong.
- **Methods**: a path that is asked by a method that it has not answers 405 \`method_not_allowed\`, with those that it has in \`Allow\`.
- **Lists** come by pages: \`next_cursor\` of one is the \`cursor\` of the next, and null on the last.
- **Changes** of the configuration are checked whole and written as one numbered version, or nothing is changed. \`Meshgate-Version\` tells which one. \`ETag\` is strong; with \`If-Match\` a change is made only to what its author has seen, with \`If-None-Match: *\` only where there is nothing yet.
- **The owner**: where a node's configuration file has services, routes, consumers, plugins or certificates, it owns them; they are shown, and changes answer 409 \`config_owned_by_file\`. Once all five are out of the file, what it had stays in force until the first version is written. \`Meshgate-Config-Owner\` tells.
- **Secrets** are shown as \`(hidden)\`, hashes of API keys by their first digits; sent back so, they stay what they are.
- **Other nodes**: \`/v1/nodes/{node}/…\` is the same API of another node, without its \`/v1\`: \`/v1/nodes/edge-2/tap\`. That one decides who may ask for what; an operation is named as its own, with \`OfNode\` behind it. Where that one cannot be asked: 401 \`local_token\`, 404 \`not_found\`, 502 \`node_unreachable\`, 503 \`node_unavailable\`, 504 \`node_timeout\`, 508 \`forwarding_loop\`. Views of the mesh say in \`nodes\` which of them they include.
- **Without the backplane** reads answer with what was known last, and \`Meshgate-Staleness\` or \`staleness_seconds\` tells how old it is; changes answer 503.`;

export interface OpenApi {
  /** Throws a `TypeError` where a route does not say what it takes and answers. */
  toDocument(): OpenApiDocument;
}

/** To be called before the first route; `/openapi.json` is one of them. */
export function useOpenApi(app: FastifyInstance, catalogue: PluginCatalogue): OpenApi {
  const routes: RouteOptions[] = [];
  let document: OpenApiDocument | undefined;
  app.addHook('onRoute', (route) => {
    // What is forwarded is described by what it is forwarded for.
    if (route.config?.isForwarding === true) return;
    // Fastify adds one of these to each GET.
    if (route.method !== 'HEAD') routes.push(route);
  });
  const toDocument = (): OpenApiDocument => (document ??= build(routes, catalogue));
  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'getOpenApi',
        summary: 'This document.',
        tags: ['api'],
        response: { 200: Type.Object({}), ...refusals(401, 421, 429) },
      },
      config: { role: 'viewer', isScoped: true },
    },
    () => toDocument(),
  );
  return { toDocument };
}

function build(routes: readonly RouteOptions[], catalogue: PluginCatalogue): OpenApiDocument {
  const schemas = createSchemas(toConfigurationSchemas(catalogue));
  const paths: Record<string, Record<string, unknown>> = {};
  const add = ({ path, method, definition }: Operation): void => {
    paths[path] = { ...paths[path], [method]: definition };
  };
  for (const route of routes) {
    const operation = toOperation(route, schemas);
    add(operation);
    if (operation.path.startsWith('/v1/')) add(toForwarded(operation, schemas));
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Meshgate admin API', version: VERSION, description: DESCRIPTION },
    servers: [{ url: 'http://127.0.0.1:8001' }],
    security: [{ token: [] }],
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      ...schemas.components(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}
