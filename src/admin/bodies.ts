/** Which bodies an operation takes, and how those that are not plain JSON are read. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readYaml } from '../gateway/config/yaml-text.ts';
import { AdminError } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types of the body; default: JSON alone. */
    consumes?: readonly string[];
    /** Where its limit is set, in the configuration file. Default: nowhere. */
    bodySetting?: string;
  }
}

export const JSON_TYPE = 'application/json';
export const YAML_TYPE = 'application/yaml';
export const MERGE_PATCH_TYPE = 'application/merge-patch+json';

/** No body is longer, where its operation does not say so. */
export const BODY_BYTES = 64 * 1024;

/** Deep enough for any configuration, and for whoever goes down in it by calling himself. */
const MAX_DEPTH = 72;

export function useBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(MERGE_PATCH_TYPE, { parseAs: 'string' }, parseJson);
  app.removeContentTypeParser(JSON_TYPE);
  app.addContentTypeParser(JSON_TYPE, { parseAs: 'string' }, (request, text, done) => {
    // Clients name a type for each request, and have no body for DELETE. Where one is needed it is missed later.
    if (text === '') done(null);
    else void parseJson(request, text as string, done);
  });
  app.addContentTypeParser(
    YAML_TYPE,
    { parseAs: 'string' },
    async (_request: unknown, text: string) => {
      const reading = await readYaml(text);
      if (reading.ok) return reading.value;
      const errors = reading.problems.map((detail) => ({ detail }));
      throw new AdminError(400, 'bad_request', 'The body is no YAML that can be read.', errors);
    },
  );

  // After who asks has been checked, and before a byte of the body is read.
  app.addHook('preParsing', async (request, reply, payload) => {
    const { schema, config } = request.routeOptions;
    const type = request.headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase();
    if (schema?.body === undefined || type === undefined) return payload;
    const { consumes = [JSON_TYPE] } = config;
    if (consumes.includes(type)) return payload;
    const accepted = consumes.join(', ');
    reply.header(request.method === 'PATCH' ? 'accept-patch' : 'accept', accepted);
    throw new AdminError(415, 'unsupported_media_type', `The body has to be ${accepted}.`);
  });
  app.addHook('preValidation', async ({ body, routeOptions }) => {
    if (routeOptions.schema?.body === undefined) return;
    if (body === undefined) throw new AdminError(400, 'bad_request', 'A body is required.');
    if (isDeeperThan(body, MAX_DEPTH)) {
      throw new AdminError(422, 'invalid', 'The body is nested too deeply.');
    }
  });
}

/** What a body that is too long is refused with; undefined for other errors. */
export function toTooLarge(
  error: unknown,
  { routeOptions: { bodyLimit, config } }: FastifyRequest,
): AdminError | undefined {
  if ((error as { readonly statusCode?: unknown }).statusCode !== 413) return undefined;
  const { bodySetting } = config;
  const remedy =
    bodySetting === undefined
      ? 'no more is taken here'
      : `to have more taken, set ${bodySetting} in the configuration file of this node and restart it`;
  return new AdminError(
    413,
    'payload_too_large',
    `The body is longer than ${toSizeText(bodyLimit)}: ${remedy}.`,
  );
}

/** As a configuration has it: `8MiB`. */
function toSizeText(bytes: number): string {
  if (bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}MiB`;
  return bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes} bytes`;
}

/** Goes no deeper than that itself: a body may be nested deeper than the stack. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const member of Object.values(value)) {
    if (levels === 0 || isDeeperThan(member, levels - 1)) return true;
  }
  return false;
}
