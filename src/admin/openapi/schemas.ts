/** The components of the OpenAPI document, and schemas that refer to them instead of repeating them. */
import { STATUS_CODES } from 'node:http';
import { Scope } from '../access/scope.ts';
import { AuditEntry } from '../access/audit-entry.ts';
import { Problem } from '../problem.ts';
import { Change, Version } from '../resources/answers.ts';
import { NodeStatus } from '../resources/node-status.ts';
import { TapEvent } from '../resources/tap.ts';
import { CreatedToken, Token } from '../resources/tokens.ts';
import { MeshNode } from '../views/mesh-nodes.ts';
import { MeshEndpoint, MeshService } from '../views/mesh-services.ts';
import { MeshEdge, MeshNodeTraffic, MeshTraffic } from '../views/mesh-topology.ts';
import { NodeCoverage } from '../views/node-coverage.ts';
import { SCHEMAS } from './component-ref.ts';

export type Schema = { readonly [keyword: string]: unknown };

/** By the names that readers of the API know them by. */
const NAMED: Readonly<Record<string, object>> = {
  Problem,
  Version,
  Change,
  Token,
  CreatedToken,
  Scope,
  AuditEntry,
  NodeStatus,
  MeshService,
  MeshEndpoint,
  MeshNode,
  MeshEdge,
  MeshTraffic,
  MeshNodeTraffic,
  NodeCoverage,
  TapEvent,
};

export interface Schemas {
  /** Plain JSON, in which a known schema is a reference. */
  toSchema(schema: object): Schema;
  /** The reference of an answer that is a problem. */
  toRefusal(status: number): string;
  /** `schemas` and `responses`, with what has been referred to so far. */
  components(): Schema;
}

/** `others` are those of the configuration. */
export function createSchemas(others: Readonly<Record<string, Schema>>): Schemas {
  const names = new Map(
    Object.entries(NAMED).map(([name, schema]) => [JSON.stringify(schema), name]),
  );
  const statuses = new Set<number>();

  function referring(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(referring);
    if (typeof value !== 'object' || value === null) return value;
    const name = names.get(JSON.stringify(value));
    if (name !== undefined) return { $ref: `${SCHEMAS}${name}` };
    return membersOf(value);
  }

  function membersOf(value: object): Schema {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]: [string, unknown]) => [key, referring(member)]),
    );
  }

  return {
    // By way of text: typebox keeps marks of its own beside a schema.
    toSchema: (schema) => referring(JSON.parse(JSON.stringify(schema))) as Schema,
    toRefusal(status) {
      statuses.add(status);
      return `#/components/responses/${refusalName(status)}`;
    },
    components() {
      const schemas = Object.entries(NAMED).map(([name, schema]): [string, Schema] => [
        name,
        membersOf(JSON.parse(JSON.stringify(schema)) as object),
      ]);
      const sorted = [...Object.entries(others), ...schemas].sort(([a], [b]) => (a < b ? -1 : 1));
      const responses = [...statuses]
        .sort((a, b) => a - b)
        .map((status) => [
          refusalName(status),
          {
            description: STATUS_CODES[status],
            ...fieldsOf(status),
            content: {
              'application/problem+json': { schema: { $ref: `${SCHEMAS}Problem` } },
            },
          },
        ]);
      return {
        schemas: Object.fromEntries(sorted),
        responses: Object.fromEntries(responses) as Schema,
      };
    },
  };
}

/** A field that is always there. */
export function responseHeader(description: string, schema: Schema = { type: 'string' }): Schema {
  return { description, required: true, schema };
}

function fieldsOf(status: number): Schema {
  if (status === 401) {
    return { headers: { 'WWW-Authenticate': responseHeader('Which token is wanted (RFC 6750).') } };
  }
  if (status !== 429 && status !== 503) return {};
  const seconds = { type: 'integer', minimum: 1 };
  return { headers: { 'Retry-After': responseHeader('In how many seconds.', seconds) } };
}

/** E.g. `NotFound`. */
function refusalName(status: number): string {
  return STATUS_CODES[status]!.replaceAll(/[^A-Za-z]/g, '');
}
