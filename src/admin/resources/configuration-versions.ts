/** `/v1/config/versions` and `/v1/config/rollback`: every accepted change, who made it, who runs it, and the way back. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { diffDocuments } from '../../gateway/config/document-diff.ts';
import {
  EMPTY_DOCUMENT,
  withoutEmptyCertificates,
  type SharedDocument,
} from '../../gateway/config/versions/shared-document.ts';
import type { StoredVersion } from '../../gateway/config/versions/version-store.ts';
import { BackplaneError } from '../../mesh/backplane/backplane-error.ts';
import { Listing, Nullable, PageQuery, toPage } from '../listing.ts';
import { componentRef } from '../openapi/component-ref.ts';
import {
  assertAccepted,
  Change,
  readDesk,
  sendAccepted,
  toVersion,
  Version,
  VersionFields,
  versionOf,
} from './answers.ts';
import type { ConfigurationAccess } from './configuration-access.ts';
import { Conditions, toDocumentRefusal, toVersionTag } from './preconditions.ts';
import { toStalenessSeconds } from '../views/last-known.ts';
import { refusals } from './refusals.ts';
import { noVersion, readVersion } from './stored-version.ts';

const NodeReport = Type.Object({
  node: Type.String(),
  state: Type.Enum(['applied', 'refused', 'pending'], {
    description: '`pending`: it runs another version, and has said nothing of this one.',
  }),
  version: Type.Integer({ minimum: 0, description: 'What it runs.' }),
  reason: Type.Optional(Type.String({ description: 'Why it refused.' })),
  at: Type.String({ format: 'date-time' }),
});

const VersionDetail = Type.Object({
  ...VersionFields,
  previous: Nullable(
    Type.Integer({ description: 'The version before it that is kept; null: none.' }),
  ),
  changes: Nullable(
    Type.Array(Change, {
      description:
        'Since the previous one; null where that is not known here, and the backplane cannot be asked.',
    }),
  ),
  document: componentRef<SharedDocument>('Configuration'),
  nodes: Nullable(
    Type.Array(NodeReport, {
      description: 'Who runs it; null while the backplane cannot be asked.',
    }),
  ),
});

const VersionPath = Type.Object({ version: Type.Integer({ minimum: 1 }) });
const ListQuery = Type.Object(PageQuery, { additionalProperties: false });
const Pin = Type.Object({ pinned: Type.Boolean() }, { additionalProperties: false });
const Rollback = Type.Object(
  {
    version: Type.Integer({ minimum: 1, description: 'The version to say again.' }),
    message: Type.Optional(Type.String({ maxLength: 1_000, description: 'Why.' })),
  },
  { additionalProperties: false },
);

const RolledBack = Type.Object({
  version: Version,
  changed: Type.Boolean({ description: 'False: the newest version says it already.' }),
});

type VersionParams = Static<typeof VersionPath>;

/** Newest first, while pages are in the order of their keys. */
function keyOf({ version }: { readonly version: number }): string {
  return String(Number.MAX_SAFE_INTEGER - version).padStart(16, '0');
}

export function addConfigurationVersions(app: FastifyInstance, access: ConfigurationAccess): void {
  const { store } = access;
  const TAGS = { tags: ['config'] };

  app.get<{ Querystring: Static<typeof ListQuery> }>(
    '/v1/config/versions',
    {
      schema: {
        ...TAGS,
        operationId: 'listConfigVersions',
        summary: 'Every accepted change, newest first.',
        querystring: ListQuery,
        response: { 200: Listing(Version), ...refusals(401, 403, 421, 422, 429, 503) },
      } as object,
      config: { role: 'viewer' },
    },
    async (request) => {
      // Where nothing is known yet, that is not to be taken for nothing being there.
      await readDesk(access.desk);
      const page = toPage(store.list(), keyOf, request.query);
      return {
        items: page.items.map(toVersion),
        next_cursor: page.next_cursor,
        staleness_seconds: toStalenessSeconds(store.stalenessMs()),
      };
    },
  );

  app.get<{ Params: VersionParams }>(
    '/v1/config/versions/:version',
    {
      schema: {
        ...TAGS,
        operationId: 'getConfigVersion',
        summary: 'A version: its document, what it changed, and which nodes run it.',
        params: VersionPath,
        response: { 200: VersionDetail, ...refusals(401, 403, 404, 421, 422, 429, 503) },
      } as object,
      config: { role: 'viewer' },
    },
    async (request, reply) => {
      const version = await readVersion(store, request.params.version);
      const stalenessMs = store.stalenessMs();
      const detail = await toDetail(access, version);
      return reply
        .header('meshgate-staleness', String(toStalenessSeconds(stalenessMs)))
        .send(detail);
    },
  );

  app.put<{ Params: VersionParams; Body: Static<typeof Pin> }>(
    '/v1/config/versions/:version/pin',
    {
      schema: {
        ...TAGS,
        operationId: 'putConfigVersionPin',
        summary: 'Keep a version whatever its age, or no longer.',
        params: VersionPath,
        body: Pin,
        response: { 200: Version, ...refusals(400, 401, 403, 404, 413, 415, 421, 422, 429, 503) },
      } as object,
      config: { role: 'admin' },
    },
    async ({ params: { version }, body: { pinned } }) => {
      const known = store.list().find((one) => one.version === version);
      if (!(await store.pin(version, pinned)) || known === undefined) throw noVersion(version);
      return toVersion({ ...known, pinned });
    },
  );

  app.post<{ Body: Static<typeof Rollback> }>(
    '/v1/config/rollback',
    {
      schema: {
        ...TAGS,
        operationId: 'rollbackConfig',
        summary: 'Write a version again, as a new one.',
        headers: Conditions,
        body: Rollback,
        response: {
          200: RolledBack,
          201: RolledBack,
          ...refusals(400, 401, 403, 404, 409, 412, 413, 415, 421, 422, 429, 503),
        },
      } as object,
      config: { role: 'operator' },
    },
    (request, reply) => rollback(access, request, reply),
  );
}

async function toDetail(
  { store, concealer, rollout }: ConfigurationAccess,
  { document, ...info }: StoredVersion,
): Promise<object> {
  const previous = store.list().find(({ version }) => version < info.version)?.version;
  const before =
    previous === undefined
      ? EMPTY_DOCUMENT
      : await readVersion(store, previous).then((found) => found.document, toNullInOutage);
  const concealed = await concealer.document(document);
  return {
    ...toVersion(info),
    previous: previous ?? null,
    changes: before && diffDocuments(await concealer.document(before), concealed),
    // The same as `GET /v1/config` says.
    document: withoutEmptyCertificates(concealed.shown),
    nodes: await rollout(info.version).catch(toNullInOutage),
  };
}

/** What is known of a version is not held back because of what is not. */
function toNullInOutage(error: unknown): null {
  if (error instanceof BackplaneError) return null;
  throw error;
}

async function rollback(
  { desk, store }: ConfigurationAccess,
  request: FastifyRequest<{ Body: Static<typeof Rollback> }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { version: wanted, message = `roll back to version ${wanted}` } = request.body;
  // Before it is looked for: where the file owns it, there is nothing to roll back.
  const isOfFile = (await desk.read())?.owner === 'file';
  const target = isOfFile ? undefined : await readVersion(store, wanted);
  const outcome = await desk.change({
    author: request.principal.name,
    message,
    rollbackOf: wanted,
    subjectOf: (document) => document,
    edit(current) {
      const refusal = toDocumentRefusal(request.headers, current);
      if (refusal !== undefined) return { refusal };
      return target === undefined ? { refusal: noVersion(wanted) } : { document: target.document };
    },
  });
  const accepted = assertAccepted(outcome, ({ issues }) =>
    issues.map(({ path, message, hint }) => ({
      detail: `${path}: ${message}`,
      resource: `/v1/config/versions/${wanted}`,
      ...(hint !== undefined && { hint }),
    })),
  );
  const isNew = accepted.kind === 'written';
  const version = versionOf(accepted);
  sendAccepted(reply, accepted);
  reply.header('etag', toVersionTag(version.version, 'json'));
  if (isNew) reply.code(201).header('location', `/v1/config/versions/${version.version}`);
  return reply.send({ version: toVersion(version), changed: isNew });
}
