/** The kinds of named objects that are resources, and what they are called. */
import { Type, type TSchema } from 'typebox';
import { NAME } from '../../gateway/config/schema/scalar.ts';
import type { EntryKind } from '../../gateway/config/shared-entries.ts';
import type { JsonObject } from '../../mesh/backplane/json-object.ts';
import { bodyNameOf, componentRef } from '../openapi/component-ref.ts';

export interface EntryResource {
  readonly kind: EntryKind;
  /** In operation ids. */
  readonly singular: string;
  readonly plural: string;
  readonly noun: string;
  /** Refers to a component of the OpenAPI document, which is made of the configuration's own schema. */
  readonly schema: TSchema;
  /** As `schema`, of what is sent to put one. */
  readonly body: TSchema;
  readonly params: TSchema;
}

function define(kind: EntryKind, singular: string, ordinal = ''): EntryResource {
  return {
    kind,
    singular,
    plural: `${singular}s`,
    noun: singular.toLowerCase(),
    schema: componentRef<JsonObject>(singular),
    body: componentRef<JsonObject>(bodyNameOf(singular)),
    params: Type.Object({ name: Type.String({ pattern: `^${NAME}${ordinal}$` }) }),
  };
}

export const ENTRY_RESOURCES: readonly EntryResource[] = [
  define('services', 'Service'),
  define('routes', 'Route'),
  define('consumers', 'Consumer'),
  define('certificates', 'Certificate'),
  // The second of the same is `headers:2`.
  define('plugins', 'Plugin', '(:([2-9]|[1-9][0-9]{1,2}))?'),
];
