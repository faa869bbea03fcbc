/** The JSON Schema that editors complete and check a configuration file by. */
import type { PluginCatalogue } from './plugin-catalogue.ts';
import { Document } from './schema/document.ts';
import { definePluginList } from './schema/plugin-list.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Schema = { readonly [key: string]: Json };

/** A value may be left to `${VAR}` wherever the schema wants something else than any text. */
const SUBSTITUTION = '\\$\\{';

/**
 * The whole schema, plugins of the catalogue included, in draft-07: the one that YAML editors
 * know best. What has a default need not be given; everything may be substituted.
 */
export function toJsonSchema(catalogue: PluginCatalogue): Schema {
  const definitions: Record<string, Json> = {};
  for (const [id, definition] of Object.entries(definePluginList(catalogue))) {
    definitions[definitionName(id)] = toEditorSchema(toJson(definition));
  }
  const document = toEditorSchema(toJson(Document)) as Schema;
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...document, definitions };
}

/** Typebox keeps marks of its own beside the schema, which JSON leaves out. */
function toJson(schema: object): Json {
  return JSON.parse(JSON.stringify(schema)) as Json;
}

function definitionName(id: string): string {
  return id.replace(/^meshgate:/, '');
}

function toEditorSchema(schema: Json): Json {
  if (!isSchema(schema)) return schema;
  if (typeof schema['$ref'] === 'string') return toReference(schema, schema['$ref']);
  const values = constantsOf(schema['anyOf']);
  if (values !== undefined) {
    const { anyOf: _, ...rest } = schema;
    return { ...rest, enum: values };
  }
  const result: Record<string, Json> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    result[keyword] = toEditorKeyword(keyword, value, schema);
  }
  if (Array.isArray(result['required']) && result['required'].length === 0)
    delete result['required'];
  return admitSubstitution(result);
}

function toEditorKeyword(keyword: string, value: Json, schema: Schema): Json {
  switch (keyword) {
    case 'properties':
    case 'patternProperties':
      return Object.fromEntries(
        Object.entries(value as Schema).map(([key, member]) => [key, toEditorSchema(member)]),
      );
    case 'anyOf':
      return (value as readonly Json[]).map(toEditorSchema);
    case 'items':
    case 'additionalProperties':
      return toEditorSchema(value);
    case 'required':
      return (value as readonly string[]).filter((key) => !hasDefault(schema, key));
    default:
      return value;
  }
}

/** In draft-07 nothing beside a `$ref` counts. */
function toReference(schema: Schema, id: string): Json {
  const { $ref: _, ...rest } = schema;
  const reference = { $ref: `#/definitions/${definitionName(id)}` };
  return Object.keys(rest).length === 0 ? reference : { ...rest, allOf: [reference] };
}

function admitSubstitution(schema: Record<string, Json>): Schema {
  const { type, pattern } = schema;
  if (typeof pattern === 'string') {
    return { ...schema, pattern: `(?:${pattern})|${SUBSTITUTION}` };
  }
  const isScalar = type === 'integer' || type === 'number' || type === 'boolean';
  if (!isScalar || 'const' in schema) return schema;
  return { ...schema, type: [type, 'string'], pattern: SUBSTITUTION };
}

function hasDefault(schema: Schema, key: string): boolean {
  const properties = schema['properties'];
  const property = isSchema(properties) ? properties[key] : undefined;
  return isSchema(property) && property['default'] !== undefined;
}

/** The values of a union of constants, which reads better as an `enum`. */
function constantsOf(branches: Json | undefined): Json[] | undefined {
  if (!Array.isArray(branches)) return undefined;
  const values: Json[] = [];
  for (const branch of branches as readonly Json[]) {
    if (!isSchema(branch) || branch['const'] === undefined) return undefined;
    values.push(branch['const']);
  }
  return values;
}

function isSchema(value: Json | undefined): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
