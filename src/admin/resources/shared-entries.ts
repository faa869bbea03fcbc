/** `/v1/{services,routes,consumers,plugins,certificates}/{name}`: one named object of the shared configuration. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { findEntry, type EntryKind } from '../../gateway/config/shared-entries.ts';
import { assertInScope } from '../access/scope.ts';
import { JSON_TYPE, MERGE_PATCH_TYPE } from '../bodies.ts';
import { readDesk, sendFacts } from './answers.ts';
import { isWrittenOut } from './certificate-details.ts';
import {
  EntryQuery,
  entryNotFound,
  putEntry,
  removeEntry,
  type EntryAsk,
  type EntryDependencies,
} from './entry-changes.ts';
import { ENTRY_RESOURCES } from './entry-resources.ts';
import { toScoped } from './entry-scope.ts';
import { Conditions, isKnown, Knowledge, toEntryTag } from './preconditions.ts';
import { refusals } from './refusals.ts';
import { toShownEntry } from './shown-entries.ts';

/** No single object is longer. */
const MAX_BODY_BYTES = 1024 * 1024;

export function addSharedEntries(app: FastifyInstance, dependencies: EntryDependencies): void {
  for (const resource of ENTRY_RESOURCES) {
    const { kind, singular, noun, schema, body, params } = resource;
    const path = `/v1/${kind}/:name`;
    const operation = (verb: string, summary: string): object => ({
      operationId: `${verb}${singular}`,
      summary,
      tags: [kind],
      params,
    });
    const changes = { role: 'operator', isScoped: true } as const;

    app.get<EntryAsk>(
      path,
      {
        schema: {
          ...operation('get', `A ${noun}, as it is written, with secrets hidden.`),
          headers: Knowledge,
          response: {
            200: schema,
            304: Type.Null(),
            ...refusals(401, 403, 404, 421, 422, 429, 503),
          },
        },
        config: { role: 'viewer', isScoped: true },
      },
      (request, reply) => get(dependencies, kind, request, reply),
    );
    app.put<EntryAsk>(
      path,
      {
        bodyLimit: MAX_BODY_BYTES,
        schema: {
          ...operation('put', `Make a ${noun}, or replace it whole.`),
          querystring: EntryQuery,
          headers: Conditions,
          body,
          response: {
            200: schema,
            201: schema,
            ...refusals(400, 401, 403, 409, 412, 413, 415, 421, 422, 429, 503),
          },
        },
        config: { ...changes, consumes: [JSON_TYPE] },
      },
      (request, reply) => putEntry(dependencies, resource, request, reply),
    );
    app.patch<EntryAsk>(
      path,
      {
        bodyLimit: MAX_BODY_BYTES,
        schema: {
          ...operation('patch', `Change parts of a ${noun}, by a merge patch (RFC 7396).`),
          querystring: EntryQuery,
          headers: Conditions,
          body: Type.Object({}, { description: 'What is null is taken out.' }),
          response: {
            200: schema,
            ...refusals(400, 401, 403, 404, 409, 412, 413, 415, 421, 422, 429, 503),
          },
        },
        config: { ...changes, consumes: [MERGE_PATCH_TYPE] },
      },
      (request, reply) => putEntry(dependencies, resource, request, reply),
    );
    app.delete<EntryAsk>(
      path,
      {
        schema: {
          ...operation('delete', `Take a ${noun} out of the configuration.`),
          querystring: EntryQuery,
          headers: Conditions,
          response: {
            204: Type.Null(),
            ...refusals(401, 403, 404, 409, 412, 421, 422, 429, 503),
          },
        },
        config: changes,
      },
      (request, reply) => removeEntry(dependencies, resource, request, reply),
    );
  }
}

async function get(
  { desk, ...showing }: EntryDependencies,
  kind: EntryKind,
  request: FastifyRequest<EntryAsk>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const reading = await readDesk(desk);
  const { name } = request.params;
  const entry = findEntry(reading.document, kind, name);
  assertInScope(request.principal, kind, toScoped(kind, name, entry?.value));
  if (entry === undefined) throw entryNotFound(kind, name);
  const tag = toEntryTag(kind, entry);
  sendFacts(reply, reading);
  reply.header('etag', tag);
  // What is told of a certificate in a file changes with the file.
  const isFixed = kind !== 'certificates' || isWrittenOut(entry);
  if (isFixed && isKnown(request.headers, tag)) return reply.code(304).send();
  return reply.send(toShownEntry(showing, kind, entry));
}
