/** References from the schemas of operations to components that are made elsewhere. */
import { Type, type TSchema } from 'typebox';

const PREFIX = '#/components/schemas/';

export function componentRef<T>(name: string) {
  return Type.Unsafe<T>({ $ref: `${PREFIX}${name}` });
}

/** Such a schema is for readers of the API: what it refers to is checked by other means. */
export function isComponentRef(schema: unknown): schema is TSchema {
  const { $ref } = (schema ?? {}) as { readonly $ref?: unknown };
  return typeof $ref === 'string' && $ref.startsWith(PREFIX);
}
