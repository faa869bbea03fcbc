/** Which bodies an operation takes, and how those that are not plain JSON are read. */
import type { FastifyInstance } from 'fastify';
import { readYaml } from '../gateway/config/yaml-text.ts';
import { AdminError } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types of the body; default: JSON alone. */
    consumes?: readonly string[];
  }
}

export const JSON_TYPE = 'application/json';
export const YAML_TYPE = 'application/yaml';
export const MERGE_PATCH_TYPE = 'application/merge-patch+json';

/** Deep enough for any configuration, and for whoever goes down in it by calling himself. */
const MAX_DEPTH = 72;

export function useBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(MERGE_PATCH_TYPE, { parseAs: 'string' }, parseJson);
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

/** Level by level: a body may be nested deeper than the stack. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level = [value];
  for (let depth = 0; depth <= levels; depth++) {
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null ? (Object.values(one) as unknown[]) : [],
    );
    if (level.length === 0) return false;
  }
  return true;
}
