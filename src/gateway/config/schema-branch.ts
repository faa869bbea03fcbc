/** Chooses the branch of a union that a value was probably meant for. */

type Schema = Readonly<Record<string, unknown>>;

export type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object';

const ANY: readonly JsonType[] = ['string', 'number', 'boolean', 'null', 'array', 'object'];

/** The JSON type of a value; a whole number is a `number` too, whatever the schema calls it. */
export function typeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object';
}

/** The JSON types that a schema admits, as it names them. */
export function typesOf(schema: Schema): ReadonlySet<JsonType> {
  const type = schema['type'];
  if (typeof type === 'string') return new Set([type as JsonType]);
  if (Array.isArray(type)) return new Set(type as JsonType[]);
  const scalars = allowedScalars(schema);
  if (scalars !== undefined) return new Set(scalars.map(typeOf));
  const branches = schema['anyOf'];
  if (Array.isArray(branches)) {
    return new Set((branches as Schema[]).flatMap((branch) => [...typesOf(branch)]));
  }
  return new Set(ANY);
}

/** The values of a `const` or `enum`; undefined for other schemas. */
export function allowedScalars(schema: Schema): readonly unknown[] | undefined {
  if ('const' in schema) return [schema['const']];
  const values = schema['enum'];
  return Array.isArray(values) ? (values as unknown[]) : undefined;
}

/** Which branch is meant, by the value. */
export interface BranchOrder {
  /** Indexes of the branches that admit the value's type, the one that fits its keys best first. */
  of(value: unknown): readonly number[];
}

/** Works out once which types the branches admit. */
export function createBranchOrder(branches: readonly Schema[]): BranchOrder {
  const byType = new Map<JsonType, readonly number[]>();
  for (const type of ANY) byType.set(type, branchesOf(branches, type));
  return {
    of(value) {
      const type = typeOf(value);
      const fitting = byType.get(type)!;
      return fitting.length < 2 ? fitting : byScore(branches, fitting, value, type);
    },
  };
}

function branchesOf(branches: readonly Schema[], type: JsonType): readonly number[] {
  return [...branches.keys()].filter((i) => {
    const types = typesOf(branches[i]!);
    return types.has(type) || (type === 'number' && types.has('integer'));
  });
}

function byScore(
  branches: readonly Schema[],
  fitting: readonly number[],
  value: unknown,
  type: JsonType,
): readonly number[] {
  const scores = branches.map((branch) => scoreOf(branch, value, type));
  return fitting.toSorted((a, b) => scores[b]! - scores[a]! || a - b);
}

function scoreOf(schema: Schema, value: unknown, type: JsonType): number {
  // A free text says less of what was meant than a list of words does of what was not.
  if (type !== 'object') return allowedScalars(schema) === undefined ? 1 : 0;
  const properties = schema['properties'] as Readonly<Record<string, Schema>> | undefined;
  if (properties === undefined) return 0;
  let score = 0;
  for (const [key, member] of Object.entries(value as object)) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property === undefined) {
      score -= 1;
      continue;
    }
    const allowed = allowedScalars(property);
    // A key such as `kind: file` decides between branches that share it.
    if (allowed === undefined) score += 2;
    else score += allowed.includes(member) ? 10 : -10;
  }
  const required = (schema['required'] as readonly string[] | undefined) ?? [];
  for (const key of required) {
    if (!Object.hasOwn(value as object, key) && properties[key]?.['default'] === undefined)
      score -= 1;
  }
  return score;
}
