/** What the admin API answers where it cannot do what it was asked: problem+json (RFC 9457). */
import { STATUS_CODES } from 'node:http';
import type { FastifyError } from 'fastify';
import { Type, type Static } from 'typebox';
import { toPointer } from '../gateway/config/config-path.ts';
import { ConfigKeyError } from '../gateway/config/versions/config-keys.ts';
import { UnreadableVersionError } from '../gateway/config/versions/version-store.ts';
import { BackplaneError } from '../mesh/backplane/backplane-error.ts';

/** One thing that is wrong with a request; in its body, or among its parameters. */
export const FaultSchema = Type.Object({
  detail: Type.String(),
  pointer: Type.Optional(
    Type.String({ description: 'JSON pointer into the body, as a fragment: `#/weight`.' }),
  ),
  at: Type.Optional(
    Type.Literal('key', {
      description: 'It is the key at the end of `pointer` that is at fault. Left out: its value.',
    }),
  ),
  parameter: Type.Optional(Type.String({ description: 'Of the path or the query.' })),
  resource: Type.Optional(
    Type.String({ description: 'What `pointer` points into, where that is not the body.' }),
  ),
  hint: Type.Optional(Type.String({ description: 'What to do about it.' })),
});

/** The schema of every answer that is a refusal. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String(),
  code: Type.String(),
  request_id: Type.String(),
  source: Type.Literal('admin'),
  errors: Type.Optional(Type.Array(FaultSchema)),
});

export type Fault = Static<typeof FaultSchema>;

export class AdminError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly Fault[] | undefined;

  constructor(status: number, code: string, detail: string, errors?: readonly Fault[]) {
    super(detail);
    this.name = 'AdminError';
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}

const CODES: Readonly<Record<number, string>> = {
  404: 'not_found',
  413: 'payload_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
};

/** Undefined for a fault of our own, which is nobody else's business. */
export function toAdminError(error: unknown): AdminError | undefined {
  if (error instanceof AdminError) return error;
  if (error instanceof BackplaneError) {
    return new AdminError(503, 'backplane_unavailable', toSentence(error));
  }
  if (error instanceof ConfigKeyError) {
    return new AdminError(503, 'no_config_key', `Nothing was changed: ${error.message}.`);
  }
  if (error instanceof UnreadableVersionError) {
    return new AdminError(503, 'version_unreadable', `On this node, ${error.message}.`);
  }
  const { statusCode = 500, validation, validationContext, message } = error as FastifyError;
  if (validation !== undefined) {
    const errors = validation.map((fault) => toFault(fault, validationContext === 'body'));
    return new AdminError(422, 'invalid', 'The request is not valid.', errors);
  }
  if (statusCode < 400 || statusCode >= 500) return undefined;
  return new AdminError(statusCode, CODES[statusCode] ?? 'bad_request', message);
}

function toSentence({ code, message }: BackplaneError): string {
  const outcome =
    code === 'unavailable' ? 'a change that was asked for may have been made or not' : 'no change';
  return `The backplane cannot be asked: ${message} (${outcome}).`;
}

type SchemaFault = NonNullable<FastifyError['validation']>[number];

function toFault({ instancePath, keyword, params, message }: SchemaFault, isBody: boolean) {
  const { missingProperty, additionalProperty, allowedValues } = params;
  const key = keyword === 'required' ? missingProperty : additionalProperty;
  const path = typeof key === 'string' ? `${instancePath}${toPointer([key])}` : instancePath;
  const detail = toDetail(keyword, message ?? 'is not valid', allowedValues);
  return isBody ? { detail, pointer: `#${path}` } : { detail, parameter: path.slice(1) };
}

function toDetail(keyword: string, message: string, allowed: unknown): string {
  if (keyword === 'required') return 'is missing';
  if (keyword === 'additionalProperties') return 'is not known here';
  return Array.isArray(allowed) ? `${message}: ${allowed.join(', ')}` : message;
}

export function toProblem(
  error: AdminError,
  request: { readonly id: string; readonly path: string },
): Static<typeof Problem> {
  const { status, code, message, errors } = error;
  return {
    type: `urn:meshgate:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Unknown',
    status,
    detail: message,
    instance: request.path,
    code,
    request_id: request.id,
    source: 'admin',
    ...(errors !== undefined && { errors: [...errors] }),
  };
}
