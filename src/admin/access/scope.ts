/** What of the configuration and of the mesh a token is for: by the names of things, or by their labels. */
import { Type, type Static } from 'typebox';
import { AdminError } from '../problem.ts';
import type { Principal } from './principal.ts';

const ScopeRule = Type.Object(
  {
    prefixes: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
        minItems: 1,
        maxItems: 50,
        description: 'Names that begin with one of these.',
      }),
    ),
    labels: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: 256 }), {
        minProperties: 1,
        maxProperties: 50,
        description: 'Things that have all of these.',
      }),
    ),
  },
  { additionalProperties: false, description: 'Where both are given, both have to fit.' },
);

export const Scope = Type.Object(
  {
    services: Type.Optional(ScopeRule),
    routes: Type.Optional(ScopeRule),
    consumers: Type.Optional(ScopeRule),
    plugins: Type.Optional(ScopeRule),
    certificates: Type.Optional(ScopeRule),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description:
      'What the token is for, by kind; `{}` for a kind is all of it, and a kind that is not named is none of it. What is no part of a kind, such as the whole configuration, needs a token without a scope.',
  },
);

export type Scope = Static<typeof Scope>;

export type ScopedKind = keyof Scope;

export const SCOPED_KINDS = [
  'services',
  'routes',
  'consumers',
  'plugins',
  'certificates',
] as const satisfies readonly ScopedKind[];

/** What a rule is held against. */
export interface Scoped {
  readonly name: string;
  /** Of an endpoint: its metadata. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export function isInScope(
  scope: Scope | undefined,
  kind: ScopedKind,
  { name, labels = {} }: Scoped,
): boolean {
  if (scope === undefined) return true;
  const rule = scope[kind];
  if (rule === undefined) return false;
  if (rule.prefixes?.some((prefix) => name.startsWith(prefix)) === false) return false;
  return Object.entries(rule.labels ?? {}).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
}

/** What names of things without labels begin with, where they are in scope; empty: none is. */
export function namesInScope(scope: Scope, kind: ScopedKind): readonly string[] {
  const rule = scope[kind];
  if (rule === undefined || Object.keys(rule.labels ?? {}).length > 0) return [];
  return rule.prefixes ?? [''];
}

/** Throws an `AdminError` (403) for what the token is not for, whether it is there or not. */
export function assertInScope(principal: Principal, kind: ScopedKind, thing: Scoped): void {
  if (isInScope(principal.scope, kind, thing)) return;
  throw new AdminError(
    403,
    'forbidden',
    `"${thing.name}" of the ${kind} is outside the scope of the token "${principal.name}".`,
  );
}
