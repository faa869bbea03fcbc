/** The OpenAPI document that is handed out with the package, as a generator of clients reads it. */
import { readFile } from 'node:fs/promises';

export interface Schema {
  readonly [keyword: string]: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
}

export interface DescribedAnswer {
  readonly $ref?: string;
  readonly headers?: Readonly<
    Record<string, { readonly required: boolean; readonly schema: Schema }>
  >;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly path: string;
  readonly method: string;
  readonly role: string;
  readonly parameters: readonly Parameter[];
  readonly body:
    | { readonly content: DescribedAnswer['content'] & {}; readonly maxBytes: number }
    | undefined;
  /** By status. */
  readonly answers: Readonly<Record<string, DescribedAnswer>>;
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, DescribedAnswer>>;
  };
}

interface DescribedOperation {
  readonly operationId: string;
  readonly 'x-role': string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content: DescribedAnswer['content'] & {};
    readonly 'x-max-bytes': number;
  };
  readonly responses: Readonly<Record<string, DescribedAnswer>>;
}

export const DOCUMENT = JSON.parse(
  await readFile(new URL('../../../../config/openapi.json', import.meta.url), 'utf8'),
) as ApiDocument;

export const OPERATIONS: readonly Operation[] = Object.entries(DOCUMENT.paths).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      operationId: operation.operationId,
      path,
      method: method.toUpperCase(),
      role: operation['x-role'],
      parameters: operation.parameters ?? [],
      body: operation.requestBody && {
        content: operation.requestBody.content,
        maxBytes: operation.requestBody['x-max-bytes'],
      },
      answers: Object.fromEntries(
        Object.entries(operation.responses).map(([status, { $ref, ...answer }]) => [
          status,
          $ref === undefined ? answer : DOCUMENT.components.responses[$ref.split('/').at(-1)!]!,
        ]),
      ),
    })),
);

export function operationOf(operationId: string): Operation {
  const found = OPERATIONS.find((operation) => operation.operationId === operationId);
  if (found === undefined) throw new Error(`the document has no operation ${operationId}`);
  return found;
}

/** Those that it declares, in order. */
export function statusesOf(operationId: string, from = 0, to = 600): readonly number[] {
  return Object.keys(operationOf(operationId).answers)
    .map(Number)
    .filter((status) => status >= from && status < to);
}
