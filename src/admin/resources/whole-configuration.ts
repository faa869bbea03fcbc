/** `/v1/config`: the shared configuration as one document; written whole or not at all. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { diffDocuments } from '../../gateway/config/document-diff.ts';
import {
  canonicalPieces,
  type SharedDocument,
} from '../../gateway/config/versions/shared-document.ts';
import { sharedYamlPieces } from '../../gateway/config/versions/shared-yaml.ts';
import { JSON_TYPE, YAML_TYPE } from '../bodies.ts';
import { componentRef } from '../openapi/component-ref.ts';
import { FaultSchema } from '../problem.ts';
import {
  assertAccepted,
  Change,
  ChangeQuery,
  invalid,
  readDesk,
  sendAccepted,
  sendFacts,
  toVersion,
  Version,
  versionOf,
} from './answers.ts';
import type { ConfigurationAccess } from './configuration-access.ts';
import { parseDocumentBody, restoreDocument } from './document-body.ts';
import { toDocumentFaults } from './faults.ts';
import {
  Conditions,
  isKnown,
  Knowledge,
  toDocumentRefusal,
  toDocumentTag,
  toVersionTag,
} from './preconditions.ts';
import { refusals } from './refusals.ts';
import { readVersion } from './stored-version.ts';

const CHUNK_CHARACTERS = 64 * 1024;

const Document = componentRef<SharedDocument>('Configuration');
const Body = { body: Document };
const TAGS = { tags: ['config'] };
const TAKES = {
  consumes: [JSON_TYPE, YAML_TYPE],
  bodySetting: '`admin: { limits: { body } }`',
};

const PutQuery = Type.Object(ChangeQuery, { additionalProperties: false });
const DiffQuery = Type.Object(
  {
    against: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'The version to compare with. Default: the newest.',
      }),
    ),
  },
  { additionalProperties: false },
);

const Written = Type.Object({
  version: Version,
  changed: Type.Boolean({ description: 'False: that version says it already.' }),
  warnings: Type.Array(FaultSchema),
});
const Verdict = Type.Object({
  valid: Type.Boolean(),
  errors: Type.Array(FaultSchema, { description: 'Everything that is wrong.' }),
  warnings: Type.Array(FaultSchema),
});
const Difference = Type.Object({ changes: Type.Array(Change) });

export function addWholeConfiguration(app: FastifyInstance, access: ConfigurationAccess): void {
  const { desk, concealer, maxDocumentBytes } = access;

  app.get(
    '/v1/config',
    {
      schema: {
        ...TAGS,
        operationId: 'getConfig',
        summary: 'The whole document, byte for byte the same for the same version; secrets hidden.',
        headers: Knowledge,
        response: {
          200: {
            content: { [JSON_TYPE]: { schema: Document }, [YAML_TYPE]: { schema: Type.String() } },
          },
          304: Type.Null(),
          ...refusals(401, 403, 421, 429, 503),
        },
      },
      config: { role: 'viewer' },
    },
    async (request, reply) => {
      const reading = await readDesk(desk);
      const form = wantsYaml(request.headers.accept) ? 'yaml' : 'json';
      const tag = toDocumentTag(reading, form);
      sendFacts(reply, reading);
      reply.headers({ etag: tag, vary: 'accept' });
      if (isKnown(request.headers, tag)) return reply.code(304).send();
      const { shown } = await concealer.document(reading.document);
      return reply
        .type(form === 'yaml' ? YAML_TYPE : JSON_TYPE)
        .send(await joined(form === 'yaml' ? sharedYamlPieces(shown) : canonicalPieces(shown)));
    },
  );

  app.put<{ Querystring: Static<typeof PutQuery> }>(
    '/v1/config',
    {
      bodyLimit: maxDocumentBytes,
      schema: {
        ...TAGS,
        ...Body,
        operationId: 'putConfig',
        summary: 'Replace the whole document.',
        querystring: PutQuery,
        headers: Conditions,
        response: {
          200: Written,
          201: Written,
          ...refusals(400, 401, 403, 409, 412, 413, 415, 421, 422, 429, 503),
        },
      } as object,
      config: { ...TAKES, role: 'operator' },
    },
    (request, reply) => put(access, request, reply),
  );

  app.post(
    '/v1/config/validate',
    {
      bodyLimit: maxDocumentBytes,
      schema: {
        ...TAGS,
        ...Body,
        operationId: 'validateConfig',
        summary: 'Say everything that is wrong with a document; nothing is changed.',
        response: { 200: Verdict, ...refusals(400, 401, 403, 413, 415, 421, 422, 429, 503) },
      },
      // Its checks look into the environment and the files that the document names.
      config: { ...TAKES, role: 'operator', isReading: true },
    },
    async (request) => {
      const { document, faults } = await completed(access, request.body);
      if (faults.length > 0) return { valid: false, errors: faults, warnings: [] };
      const issues = await desk.check(document);
      const told = (severity: string): object =>
        toDocumentFaults(
          issues.filter((issue) => issue.severity === severity),
          request.body,
        );
      const valid = issues.every(({ severity }) => severity !== 'error');
      return { valid, errors: told('error'), warnings: told('warning') };
    },
  );

  app.post<{ Querystring: Static<typeof DiffQuery> }>(
    '/v1/config/diff',
    {
      bodyLimit: maxDocumentBytes,
      schema: {
        ...TAGS,
        ...Body,
        operationId: 'diffConfig',
        summary: 'Say what a document would change; nothing is changed, and nothing else checked.',
        querystring: DiffQuery,
        response: {
          200: Difference,
          ...refusals(400, 401, 403, 404, 413, 415, 421, 422, 429, 503),
        },
      } as object,
      config: { ...TAKES, role: 'viewer' },
    },
    async (request, reply) => {
      const { against } = request.query;
      const reading = await readDesk(desk);
      const before =
        against === undefined
          ? reading.document
          : (await readVersion(access.store, against)).document;
      const { document, faults } = await completed(access, request.body);
      if (faults.length > 0) throw invalid(faults);
      const changes = diffDocuments(
        await concealer.document(before),
        await concealer.document(document),
      );
      sendFacts(reply, reading);
      return reply.send({ changes });
    },
  );
}

async function put(
  { desk, concealer }: ConfigurationAccess,
  request: FastifyRequest<{ Querystring: Static<typeof PutQuery> }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const given = await parseDocumentBody(request.body);
  const outcome = await desk.change({
    author: request.principal.name,
    message: request.query.message ?? 'put the whole configuration',
    subjectOf: (document) => document,
    async edit(current) {
      const refusal = toDocumentRefusal(request.headers, current);
      if (refusal !== undefined) return { refusal };
      const { document, faults } = await restoreDocument(
        given,
        current.document,
        concealer,
        request.body,
      );
      return faults.length > 0 ? { refusal: invalid(faults) } : { document };
    },
  });
  const accepted = assertAccepted(outcome, ({ issues }) => toDocumentFaults(issues, request.body));
  const isNew = accepted.kind === 'written';
  const version = versionOf(accepted);
  sendAccepted(reply, accepted);
  reply.header('etag', toVersionTag(version.version, 'json'));
  if (isNew) reply.code(201).header('location', `/v1/config/versions/${version.version}`);
  const warnings = accepted.kind === 'written' ? accepted.warnings : [];
  return reply.send({
    version: toVersion(version),
    changed: isNew,
    warnings: toDocumentFaults(warnings, request.body),
  });
}

/** Traffic has its turns in between. */
async function joined(pieces: Iterable<string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < CHUNK_CHARACTERS) continue;
    chunks.push(Buffer.from(text));
    text = '';
    await nextTurn();
  }
  return Buffer.concat([...chunks, Buffer.from(text)]);
}

/** A document as it would be written. */
async function completed(
  { desk, concealer }: ConfigurationAccess,
  body: unknown,
): ReturnType<typeof restoreDocument> {
  const given = await parseDocumentBody(body);
  return restoreDocument(given, (await readDesk(desk)).document, concealer, body);
}

/** JSON unless YAML is asked for before it. */
function wantsYaml(accept: string | undefined): boolean {
  const first = (accept ?? '')
    .split(',')
    .map((range) => range.split(';', 1)[0]!.trim().toLowerCase())
    .find((type) => type === JSON_TYPE || type === '*/*' || type === YAML_TYPE);
  return first === YAML_TYPE;
}
