/** Checks a value against the schema and fills in defaults; a union tells of one branch only. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { DataValidateFunction, DataValidationCxt } from 'ajv/dist/types/index.js';
import type { TSchema } from 'typebox';
import { createBranchOrder, allowedScalars, typesOf } from './schema-branch.ts';

/** What is wrong at one place. */
export type SchemaFault =
  | {
      readonly kind: 'unknown-key';
      readonly key: string;
      readonly allowed: readonly string[];
      /** The key that was probably meant, where it is needed and not there. */
      readonly missing?: string;
    }
  | { readonly kind: 'missing'; readonly key: string; readonly description: string | undefined }
  | {
      readonly kind: 'type';
      readonly expected: readonly string[];
      /** What a text has to meet, and texts that do. */
      readonly pattern?: string;
      readonly examples?: readonly unknown[];
    }
  | { readonly kind: 'not-allowed'; readonly allowed: readonly unknown[] }
  | { readonly kind: 'pattern'; readonly pattern: string; readonly examples: readonly unknown[] }
  | { readonly kind: 'bound'; readonly text: string }
  | { readonly kind: 'other'; readonly text: string };

export interface PlacedFault {
  /** JSON pointer; for an unknown or missing key, of the object around it. */
  readonly pointer: string;
  readonly fault: SchemaFault;
}

export interface SchemaFindings {
  readonly faults: readonly PlacedFault[];
  /** JSON pointers of values that the schema marks `writeOnly`: secrets. */
  readonly secrets: readonly string[];
}

/** Fills defaults into `value` itself. */
export type SchemaValidator = (value: unknown) => SchemaFindings;

type Schema = Readonly<Record<string, unknown>>;

/**
 * Compiles a schema. `definitions` are what its `$ref`s name. Ajv's own `anyOf` reports every
 * branch and fills no defaults inside, so that another one stands in its place.
 */
export function createSchemaValidator(
  schema: TSchema,
  definitions: Readonly<Record<string, TSchema>>,
): SchemaValidator {
  let secrets: string[] = [];
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    strict: false,
    meta: false,
    validateSchema: false,
    // A branch that refers to a definition must be able to find it by name.
    inlineRefs: false,
    logger: false,
  });
  ajv.removeKeyword('anyOf');
  ajv.addKeyword({
    keyword: 'anyOf',
    schemaType: 'array',
    modifying: true,
    compile: (branches: Schema[]) => compileUnion(ajv, branches),
  });
  ajv.removeKeyword('items');
  ajv.addKeyword({
    keyword: 'items',
    type: 'array',
    schemaType: 'object',
    modifying: true,
    compile: (item: Schema) => compileItems(ajv, item),
  });
  ajv.removeKeyword('writeOnly');
  ajv.addKeyword({
    keyword: 'writeOnly',
    compile: (isSecret: unknown) => (_value: unknown, context?: DataValidationCxt) => {
      if (isSecret === true && context !== undefined) secrets.push(context.instancePath);
      return true;
    },
  });
  for (const [id, definition] of Object.entries(definitions)) ajv.addSchema(definition, id);
  const validate = ajv.compile(schema);
  return (value) => {
    secrets = [];
    const faults = validate(value) ? [] : toFaults(validate.errors ?? []);
    return { faults, secrets };
  };
}

/** A file uses little of what it could, and to compile all of it would be a third of the time of a start. */
function compileLater(ajv: Ajv, schema: Schema): () => ValidateFunction {
  let compiled: ValidateFunction | undefined;
  return () => (compiled ??= ajv.compile(schema));
}

/**
 * Ajv's own copies all errors found so far for each nested one that it adds: with 40,000 faulty
 * routes that took a minute. Here those of a list travel as one.
 */
function compileItems(ajv: Ajv, item: Schema): DataValidateFunction {
  const compiled = compileLater(ajv, item);
  const items: DataValidateFunction = (list: unknown[], context?: DataValidationCxt): boolean => {
    if (list.length === 0) return true;
    const validate = compiled();
    const errors: ErrorObject[] = [];
    for (let i = 0; i < list.length; i++) {
      const path = `${context?.instancePath ?? ''}/${i}`;
      if (
        validate(list[i], {
          ...context!,
          instancePath: path,
          parentData: list,
          parentDataProperty: i,
        })
      )
        continue;
      for (const error of validate.errors ?? []) errors.push(error);
    }
    if (errors.length > 0) items.errors = [nestedErrors('items', errors)];
    return errors.length === 0;
  };
  return items;
}

function compileUnion(ajv: Ajv, branches: Schema[]): DataValidateFunction {
  const validators = branches.map((branch) => compileLater(ajv, branch));
  const scalars = branches.map(allowedScalars);
  const order = createBranchOrder(branches);
  const union: DataValidateFunction = (value: unknown, context?: DataValidationCxt): boolean => {
    const fitting = order.of(value);
    const best = fitting[0];
    if (best === undefined) {
      const expected = [...new Set(branches.flatMap((branch) => [...typesOf(branch)]))];
      union.errors = [unionError('type', { expected })];
      return false;
    }
    if (fitting.every((i) => scalars[i] !== undefined)) {
      const all = fitting.flatMap((i) => scalars[i]!);
      if (all.includes(value)) return true;
      union.errors = [unionError('allowed', { allowed: all })];
      return false;
    }
    // A branch that fails may already have filled in its defaults: the next one gets a fresh copy.
    if (fitting.length > 1) {
      for (const i of fitting) {
        const validate = validators[i]!();
        if (validate(structuredClone(value), context)) return validate(value, context);
      }
    }
    const validate = validators[best]!();
    const valid = validate(value, context);
    if (!valid) union.errors = [nestedErrors('anyOf', validate.errors ?? [])];
    return valid;
  };
  return union;
}

function unionError(reason: string, params: Record<string, unknown>): Partial<ErrorObject> {
  return { keyword: 'anyOf', params: { reason, ...params } };
}

/** Ajv completes `instancePath`; it would overwrite more of nested errors, so those travel inside. */
function nestedErrors(keyword: string, errors: readonly ErrorObject[]): Partial<ErrorObject> {
  return { keyword, params: { reason: 'nested', errors } };
}

function toFaults(errors: readonly ErrorObject[]): PlacedFault[] {
  return errors.flatMap((error) => {
    if (error.params['reason'] === 'nested') {
      return toFaults(error.params['errors'] as ErrorObject[]);
    }
    const fault = toFault(error);
    return fault === undefined ? [] : [{ pointer: error.instancePath, fault }];
  });
}

function toFault(error: ErrorObject): SchemaFault | undefined {
  const { params } = error;
  const parent = (error.parentSchema ?? {}) as Schema;
  const properties = (parent['properties'] ?? {}) as Record<string, Schema>;
  switch (error.keyword) {
    case 'anyOf':
      return params['reason'] === 'type'
        ? { kind: 'type', expected: params['expected'] as string[] }
        : { kind: 'not-allowed', allowed: params['allowed'] as unknown[] };
    case 'additionalProperties':
      return {
        kind: 'unknown-key',
        key: params['additionalProperty'] as string,
        allowed: Object.keys(properties),
      };
    case 'required': {
      const key = params['missingProperty'] as string;
      const description = properties[key]?.['description'];
      return {
        kind: 'missing',
        key,
        description: typeof description === 'string' ? description : undefined,
      };
    }
    case 'type':
      return {
        kind: 'type',
        expected: [params['type'] as string | string[]].flat(),
        ...(typeof parent['pattern'] === 'string' && { pattern: parent['pattern'] }),
        ...(Array.isArray(parent['examples']) && { examples: parent['examples'] as unknown[] }),
      };
    case 'const':
      return { kind: 'not-allowed', allowed: [params['allowedValue']] };
    case 'enum':
      return { kind: 'not-allowed', allowed: params['allowedValues'] as unknown[] };
    case 'pattern':
      return {
        kind: 'pattern',
        pattern: params['pattern'] as string,
        examples: (parent['examples'] as unknown[] | undefined) ?? [],
      };
    case 'propertyNames':
      // Ajv reports what is wrong with the name as well.
      return undefined;
    default:
      return toBound(error);
  }
}

function toBound(error: ErrorObject): SchemaFault {
  const limit = error.params['limit'] as number;
  const isOne = limit === 1;
  const texts: Record<string, string> = {
    minimum: `must be at least ${limit}`,
    exclusiveMinimum: `must be more than ${limit}`,
    maximum: `must be at most ${limit}`,
    exclusiveMaximum: `must be less than ${limit}`,
    minLength: isOne ? 'must not be empty' : `must have at least ${limit} characters`,
    maxLength: `must have at most ${limit} characters`,
    minItems: isOne ? 'must not be an empty list' : `must have at least ${limit} items`,
    maxItems: `must have at most ${limit} items`,
    minProperties: isOne ? 'must not be an empty mapping' : `must have at least ${limit} keys`,
    maxProperties: isOne ? 'must have exactly one key' : `must have at most ${limit} keys`,
    uniqueItems: 'must not have the same item twice',
  };
  const text = texts[error.keyword];
  return text === undefined
    ? { kind: 'other', text: error.message ?? `breaks the rule "${error.keyword}"` }
    : { kind: 'bound', text };
}
