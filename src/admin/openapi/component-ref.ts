/** References from the schemas of operations to components that are made elsewhere. */
import { Type, type TSchema } from 'typebox';

/** Before the name of a component. */
export const SCHEMAS = '#/components/schemas/';

export function componentRef<T>(name: string) {
  return Type.Unsafe<T>({ $ref: `${SCHEMAS}${name}` });
}

/** Such a schema is for readers of the API: what it refers to is checked by other means. */
export function isComponentRef(schema: unknown): schema is TSchema {
  const { $ref } = (schema ?? {}) as { readonly $ref?: unknown };
  return typeof $ref === 'string' && $ref.startsWith(SCHEMAS);
}

/** The component of what is sent to put a resource, by that of the resource. */
export function bodyNameOf(resource: string): string {
  return `${resource}Body`;
}
