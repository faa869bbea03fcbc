/** Holds values against what the OpenAPI document declares. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { DOCUMENT, type Schema } from './api-document.ts';

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  formats: { 'date-time': DATE_TIME, password: true },
});
const validators = new Map<string, ValidateFunction>();

/** Throws where the value is not what the schema says. A field that no schema names is an error too. */
export function assertFits(place: string, schema: Schema, value: unknown): void {
  const key = JSON.stringify(schema);
  let validate = validators.get(key);
  if (validate === undefined) {
    const { schemas } = DOCUMENT.components;
    validate = ajv.compile({
      allOf: [closed(schema) as object],
      components: { schemas: closed(schemas) },
    });
    validators.set(key, validate);
  }
  if (validate(value)) return;
  const faults = validate.errors!.map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
  throw new Error(`${place} is not what the document says: ${faults.slice(0, 5).join('; ')}`);
}

/** Beside `properties`, these have a say about the other fields. */
const OPEN = ['additionalProperties', 'patternProperties', 'allOf', 'anyOf', 'oneOf'];

/** JSON Schema lets a field pass that is not named: what a client is not told of would not be seen. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, closed(member)]),
  );
  const { type, properties, ...others } = members;
  const isWhole =
    [type].flat().includes('object') &&
    Object.keys(properties ?? {}).length > 0 &&
    !OPEN.some((key) => key in others);
  return isWhole ? { ...members, additionalProperties: false } : members;
}
