/** PUT, PATCH and DELETE of one named object: what a request makes of the document, and what is answered. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import type { Concealed } from '../../gateway/config/concealment.ts';
import { toPointer } from '../../gateway/config/config-path.ts';
import { serviceReferencesOf } from '../../gateway/config/service-references.ts';
import {
  findEntry,
  listEntries,
  pluginOf,
  withEntry,
  withoutEntry,
  type EntryKind,
} from '../../gateway/config/shared-entries.ts';
import type { SharedDocument } from '../../gateway/config/versions/shared-document.ts';
import type { Json } from '../../mesh/backplane/backplane.ts';
import type { JsonObject } from '../../mesh/backplane/json-object.ts';
import { assertInScope } from '../access/scope.ts';
import type { Desk, Edit } from '../configuration-desk.ts';
import { applyMergePatch } from '../merge-patch.ts';
import { AdminError } from '../problem.ts';
import { assertAccepted, ChangeQuery, invalid, sendAccepted } from './answers.ts';
import { parseEntryBody, toResource } from './entry-body.ts';
import type { EntryResource } from './entry-resources.ts';
import { toScoped } from './entry-scope.ts';
import { toAddress, toEntryFaults } from './faults.ts';
import { toEntryTag, toRefusal } from './preconditions.ts';
import { toShownEntry, type Showing } from './shown-entries.ts';

export const EntryQuery = Type.Object(ChangeQuery, { additionalProperties: false });

export interface EntryAsk {
  readonly Params: { readonly name: string };
  readonly Querystring: Static<typeof EntryQuery>;
}

export interface EntryDependencies extends Showing {
  readonly desk: Desk;
}

/** PUT and PATCH: the same, but for what the body is put upon. */
export async function putEntry(
  { desk, ...showing }: EntryDependencies,
  { kind, noun }: EntryResource,
  request: FastifyRequest<EntryAsk>,
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
      // Before and after: labels may come and go with the change. First of all: whom it is not for
      // is not told whether it is there.
      const before = known === undefined && !isPatch ? (request.body as Json) : known?.value;
      assertInScope(principal, kind, toScoped(kind, name, before));
      if (known === undefined && isPatch) return { refusal: entryNotFound(kind, name) };
      const refusal =
        toRefusal(request.headers, known === undefined ? [] : [toEntryTag(kind, known)]) ??
        (known === undefined ? outOfTurn(document, kind, name) : undefined);
      if (refusal !== undefined) return { refusal };
      const concealed = known && showing.concealer.entries(kind, [known])[0];
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
  return reply.send(toShownEntry(showing, kind, entry));
}

export async function removeEntry(
  { desk }: EntryDependencies,
  { kind, noun }: EntryResource,
  request: FastifyRequest<EntryAsk>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { principal } = request;
  const { name } = request.params;
  const outcome = await desk.change({
    ...authorship(request, `delete ${noun} ${name}`),
    subjectOf: (document) => findEntry(document, kind, name)?.value,
    edit({ document }): Edit {
      const known = findEntry(document, kind, name);
      assertInScope(principal, kind, toScoped(kind, name, known?.value));
      if (known === undefined) return { refusal: entryNotFound(kind, name) };
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
  request: FastifyRequest<EntryAsk>,
  byDefault: string,
): { readonly author: string; readonly message: string } {
  return { author: request.principal.name, message: request.query.message ?? byDefault };
}

export function entryNotFound(kind: EntryKind, name: string): AdminError {
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
        detail: `the route ${JSON.stringify(nameOf(route))} names it`,
        resource: toAddress('routes', nameOf(route)),
        pointer: `#${toPointer(path)}`,
      })),
  );
  if (errors.length === 0) return undefined;
  return new AdminError(409, 'in_use', `Routes name the service "${service}".`, errors);
}

/** What is written has been checked to have one. */
function nameOf({ name }: JsonObject): string {
  return name as string;
}
