/** Operations of the admin API as OpenAPI tells them, made of what Fastify is told of its routes. */
import { STATUS_CODES } from 'node:http';
import type { RouteOptions } from 'fastify';
import { BODY_BYTES, JSON_TYPE } from '../bodies.ts';
import { responseHeader, type Schema, type Schemas } from './schemas.ts';

interface RouteSchema {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly params?: Schema;
  readonly querystring?: Schema;
  readonly headers?: Schema;
  readonly body?: Schema;
  readonly response?: Readonly<Record<string, Schema>>;
}

export interface Operation {
  /** As OpenAPI writes it: `/v1/routes/{name}`. */
  readonly path: string;
  readonly method: string;
  readonly definition: Schema;
}

/** Throws where a route lacks what a reader of the API needs. */
export function toOperation(route: RouteOptions, schemas: Schemas): Operation {
  const method = String(route.method).toLowerCase();
  const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
  const schema = (route.schema ?? {}) as RouteSchema;
  const { operationId, summary, description, response, body } = schema;
  if (operationId === undefined || summary === undefined || response === undefined) {
    throw new TypeError(`${method} ${path} lacks an operationId, a summary or its answers`);
  }
  const { role, consumes = [JSON_TYPE] } = route.config ?? {};
  const parameters = [
    ...toParameters('path', schema.params, schemas),
    ...toParameters('query', schema.querystring, schemas),
    ...toParameters('header', schema.headers, schemas),
  ];
  const definition: Schema = {
    operationId,
    summary,
    ...(description !== undefined && { description }),
    tags: schema.tags ?? [path.split('/')[2] ?? 'api'],
    'x-role': role,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: toContent(consumes, schemas.toSchema(body)),
        'x-max-bytes': route.bodyLimit ?? BODY_BYTES,
      },
    }),
    responses: Object.fromEntries(
      Object.entries(response).map(([status, answer]) => [
        status,
        toResponse(Number(status), answer, { schemas, isTagged: isTagged(schema) }),
      ]),
    ),
  };
  return { path, method, definition };
}

function toParameters(place: string, schema: Schema | undefined, schemas: Schemas): Schema[] {
  const required = new Set(schema?.['required'] as readonly string[] | undefined);
  return Object.entries((schema?.['properties'] ?? {}) as Record<string, Schema>).map(
    ([name, property]) => {
      const { description, ...rest } = schemas.toSchema(property);
      return {
        name,
        in: place,
        required: place === 'path' || required.has(name),
        ...(description !== undefined && { description }),
        schema: rest,
      };
    },
  );
}

/** Whether there are conditions on the entity tag of what it answers with. */
function isTagged({ headers }: RouteSchema): boolean {
  return (headers?.['properties'] as Schema | undefined)?.['if-none-match'] !== undefined;
}

function toResponse(
  status: number,
  answer: Schema,
  { schemas, isTagged }: { readonly schemas: Schemas; readonly isTagged: boolean },
): Schema {
  if (status >= 400) return { $ref: schemas.toRefusal(status) };
  const { description: given, content, type } = answer;
  const description = typeof given === 'string' ? given : STATUS_CODES[status]!;
  const fields = {
    ...(isTagged && status !== 204 && { ETag: responseHeader('What it is now, for conditions.') }),
    ...(status === 201 && { Location: responseHeader('Where it is.') }),
  };
  const head = { description, ...(Object.keys(fields).length > 0 && { headers: fields }) };
  if (type === 'null') return head;
  if (content === undefined) {
    return { ...head, content: toContent([JSON_TYPE], schemas.toSchema(answer)) };
  }
  const bodies = Object.entries(content as Record<string, { readonly schema: Schema }>);
  return {
    ...head,
    content: Object.fromEntries(
      bodies.map(([mediaType, { schema }]) => [mediaType, { schema: schemas.toSchema(schema) }]),
    ),
  };
}

function toContent(mediaTypes: readonly string[], schema: Schema): Schema {
  return Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema }]));
}
