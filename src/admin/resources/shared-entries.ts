/** `/v1/{services,routes,consumers,plugins}/{name}`: one named object of the shared configuration. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import type { Concealed, Concealer } from '../../gateway/config/concealment.ts';
import { toPointer } from '../../gateway/config/config-path.ts';
import { serviceReferencesOf } from '../../gateway/config/service-references.ts';
import {
  findEntry,
  listEntries,
  pluginOf,
  withEntry,
  withoutEntry,
  type EntryKind,
  type SharedEntry,
} from '../../gateway/config/shared-entries.ts';
import type { JsonObject, SharedDocument } from '../../gateway/config/versions/shared-document.ts';
import type { Json } from '../../mesh/backplane/backplane.ts';
import { JSON_TYPE, MERGE_PATCH_TYPE } from '../bodies.ts';
import type { Desk, Edit } from '../configuration-desk.ts';
import { applyMergePatch } from '../merge-patch.ts';
import { assertInScope } from '../access/scope.ts';
import { AdminError } from '../problem.ts';
import {
  assertAccepted,
  ChangeQuery,
  invalid,
  readDesk,
  sendAccepted,
  sendFacts,
} from './answers.ts';
import { parseEntryBody, toResource } from './entry-body.ts';
import { toScoped } from './entry-scope.ts';
import { ENTRY_RESOURCES, type EntryResource } from './entry-resources.ts';
import { toAddress, toEntryFaults } from './faults.ts';
import { Conditions, isKnown, toEntryTag, toRefusal } from './preconditions.ts';
import { refusals } from './refusals.ts';

/** No single object is longer. */
const MAX_BODY_BYTES = 1024 * 1024;

const Query = Type.Object(ChangeQuery, { additionalProperties: false });

interface Ask {
  readonly Params: { readonly name: string };
  readonly Querystring: Static<typeof Query>;
}

export interface EntryDependencies {
  readonly desk: Desk;
  readonly concealer: Concealer;
}

export function addSharedEntries(app: FastifyInstance, dependencies: EntryDependencies): void {
  for (const resource of ENTRY_RESOURCES) {
    const { kind, singular, noun, schema, params } = resource;
    const path = `/v1/${kind}/:name`;
    const operation = (verb: string, summary: string): object => ({
      operationId: `${verb}${singular}`,
      summary,
      tags: [kind],
      params,
    });
    const changes = { role: 'operator', isScoped: true } as const;

    app.get<Ask>(
      path,
      {
        schema: {
          ...operation('get', `A ${noun}, as it is written, with secrets hidden.`),
          response: {
            200: schema,
            304: Type.Null(),
            ...refusals(401, 403, 404, 421, 422, 429, 503),
          },
        } as object,
        config: { role: 'viewer', isScoped: true },
      },
      (request, reply) => get(dependencies, kind, request, reply),
    );
    app.put<Ask>(
      path,
      {
        bodyLimit: MAX_BODY_BYTES,
        schema: {
          ...operation('put', `Make a ${noun}, or replace it whole.`),
          querystring: Query,
          headers: Conditions,
          body: schema,
          response: {
            200: schema,
            201: schema,
            ...refusals(400, 401, 403, 409, 412, 413, 415, 421, 422, 429, 503),
          },
        } as object,
        config: { ...changes, consumes: [JSON_TYPE] },
      },
      (request, reply) => put(dependencies, resource, request, reply),
    );
    app.patch<Ask>(
      path,
      {
        bodyLimit: MAX_BODY_BYTES,
        schema: {
          ...operation('patch', `Change parts of a ${noun}, by a merge patch (RFC 7396).`),
          querystring: Query,
          headers: Conditions,
          body: Type.Object({}, { description: 'What is null is taken out.' }),
          response: {
            200: schema,
            ...refusals(400, 401, 403, 404, 409, 412, 413, 415, 421, 422, 429, 503),
          },
        } as object,
        config: { ...changes, consumes: [MERGE_PATCH_TYPE] },
      },
      (request, reply) => put(dependencies, resource, request, reply),
    );
    app.delete<Ask>(
      path,
      {
        schema: {
          ...operation('delete', `Take a ${noun} out of the configuration.`),
          querystring: Query,
          headers: Conditions,
          response: {
            204: Type.Null(),
            ...refusals(401, 403, 404, 409, 412, 421, 422, 429, 503),
          },
        } as object,
        config: changes,
      },
      (request, reply) => remove(dependencies, kind, request, reply),
    );
  }
}

function get(
  { desk, concealer }: EntryDependencies,
  kind: EntryKind,
  request: FastifyRequest<Ask>,
  reply: FastifyReply,
): FastifyReply {
  const reading = readDesk(desk);
  const { name } = request.params;
  const entry = findEntry(reading.document, kind, name);
  assertInScope(request.principal, kind, toScoped(kind, name, entry?.value));
  if (entry === undefined) throw notFound(kind, name);
  const tag = toEntryTag(kind, entry);
  sendFacts(reply, reading);
  reply.header('etag', tag);
  if (isKnown(request.headers, tag)) return reply.code(304).send();
  return reply.send(toShown(concealer, kind, entry));
}

/** PUT and PATCH: the same, but for what the body is put upon. */
async function put(
  { desk, concealer }: EntryDependencies,
  { kind, noun }: EntryResource,
  request: FastifyRequest<Ask>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { principal } = request;
  const { name } = request.params;
  const isPatch = request.method === 'PATCH';
  const outcome = await desk.change({
    ...authorship(request, `${isPatch ? 'change' : 'put'} ${noun} ${name}`),
    subjectOf: (document) => findEntry(document, kind, name)?.value,
    edit({ document }): Edit {
      const known = findEntry(document, kind, name);
      // Before and after: labels may come and go with the change.
      if (known !== undefined) assertInScope(principal, kind, toScoped(kind, name, known.value));
      if (known === undefined && isPatch) return { refusal: notFound(kind, name) };
      const refusal =
        toRefusal(request.headers, known === undefined ? [] : [toEntryTag(kind, known)]) ??
        (known === undefined ? outOfTurn(document, kind, name) : undefined);
      if (refusal !== undefined) return { refusal };
      const concealed = known && concealer.entries(kind, [known])[0];
      const body = isPatch ? patched(kind, concealed!, name, request.body) : request.body;
      const parsed = parseEntryBody(kind, name, body, concealed);
      if (!parsed.ok) return { refusal: invalid(parsed.faults) };
      assertInScope(principal, kind, toScoped(kind, name, parsed.value));
      return { document: withEntry(document, kind, name, parsed.value) };
    },
  });
  const accepted = assertAccepted(outcome, ({ issues, document }) =>
    toEntryFaults(issues, document, { kind, name, body: request.body }),
  );
  const isNew = accepted.kind === 'written' && findEntry(accepted.before, kind, name) === undefined;
  const entry = findEntry(accepted.document, kind, name)!;
  sendAccepted(reply, accepted);
  reply.header('etag', toEntryTag(kind, entry));
  if (isNew) reply.code(201).header('location', toAddress(kind, name));
  return reply.send(toShown(concealer, kind, entry));
}

async function remove(
  { desk }: EntryDependencies,
  kind: EntryKind,
  request: FastifyRequest<Ask>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { principal } = request;
  const { name } = request.params;
  const outcome = await desk.change({
    ...authorship(request, `delete ${kind.slice(0, -1)} ${name}`),
    subjectOf: (document) => findEntry(document, kind, name)?.value,
    edit({ document }): Edit {
      const known = findEntry(document, kind, name);
      assertInScope(principal, kind, toScoped(kind, name, known?.value));
      if (known === undefined) return { refusal: notFound(kind, name) };
      const refusal =
        toRefusal(request.headers, [toEntryTag(kind, known)]) ??
        (kind === 'services' ? inUse(document, name) : undefined);
      return refusal === undefined ? { document: withoutEntry(document, kind, name) } : { refusal };
    },
  });
  const accepted = assertAccepted(outcome, ({ issues, document }) =>
    toEntryFaults(issues, document, { kind, name, body: undefined }),
  );
  sendAccepted(reply, accepted);
  return reply.code(204).send();
}

/** The patch goes upon what its author has been shown; what was hidden of it comes back later. */
function patched(
  kind: EntryKind,
  { shown }: Concealed<Json>,
  name: string,
  patch: unknown,
): unknown {
  return applyMergePatch(toResource(kind, name, shown), patch as Json);
}

function authorship(
  request: FastifyRequest<Ask>,
  byDefault: string,
): { readonly author: string; readonly message: string } {
  return { author: request.principal.name, message: request.query.message ?? byDefault };
}

function toShown(concealer: Concealer, kind: EntryKind, entry: SharedEntry): JsonObject {
  return toResource(kind, entry.name, concealer.entries(kind, [entry])[0]!.shown);
}

function notFound(kind: EntryKind, name: string): AdminError {
  return new AdminError(404, 'not_found', `The configuration has no "${name}" among its ${kind}.`);
}

/** The third use of a plugin comes after the second. */
function outOfTurn(
  document: SharedDocument,
  kind: EntryKind,
  name: string,
): AdminError | undefined {
  if (kind !== 'plugins') return undefined;
  const plugin = pluginOf(name);
  const uses = listEntries(document, kind).filter((entry) => pluginOf(entry.name) === plugin);
  const next = uses.length === 0 ? plugin : `${plugin}:${uses.length + 1}`;
  if (name === next) return undefined;
  return new AdminError(422, 'invalid', `The next use of the plugin is "${next}".`, [
    { detail: `is not "${next}"`, parameter: 'name' },
  ]);
}

function inUse(document: SharedDocument, service: string): AdminError | undefined {
  const errors = document.routes.flatMap((route) =>
    serviceReferencesOf(route)
      .filter((reference) => reference.service === service)
      .map(({ path }) => ({
        detail: `the route ${JSON.stringify(route['name'])} names it`,
        resource: toAddress('routes', String(route['name'])),
        pointer: `#${toPointer(path)}`,
      })),
  );
  if (errors.length === 0) return undefined;
  return new AdminError(409, 'in_use', `Routes name the service "${service}".`, errors);
}
