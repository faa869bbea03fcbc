/** Lists of the admin API: pages of items in the order of their keys. */
import { Type, type Static, type TSchema } from 'typebox';
import { AdminError } from './problem.ts';

export const PageQuery = {
  page_size: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000, description: 'Items a page. Default: 100.' }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 1_024, description: 'The `next_cursor` of the page before.' }),
  ),
};

export const DEFAULT_PAGE_SIZE = 100;

/** The schema of a page. */
export function Listing<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    next_cursor: Nullable(Type.String({ description: 'Null on the last page.' })),
    staleness_seconds: Type.Number({
      description: 'How old this is: 0, or more while the backplane cannot be asked.',
    }),
  });
}

/** One schema and null, in a form that serialisers and OpenAPI 3.1 know without a union. */
export function Nullable<Schema extends TSchema>(schema: Schema) {
  const { type } = schema as { readonly type?: unknown };
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [type, 'null'] });
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

/**
 * `items` are in the order of their keys, by code units. The cursor names the last key that was
 * given out, so that items that come and go in between move nothing else.
 */
export function toPage<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  query: { readonly page_size?: number; readonly cursor?: string },
): Page<Item> {
  const { page_size: size = DEFAULT_PAGE_SIZE, cursor } = query;
  const after = cursor === undefined ? undefined : parseCursor(cursor);
  const first = after === undefined ? 0 : items.findIndex((item) => keyOf(item) > after);
  const page = first === -1 ? [] : items.slice(first, first + size);
  const isLast = first === -1 || first + size >= items.length;
  return { items: page, next_cursor: isLast ? null : toCursor(keyOf(page.at(-1)!)) };
}

export function toCursor(key: string): string {
  return Buffer.from(key).toString('base64url');
}

/** Throws an `AdminError` (422) for what is none, or whose key does not look as it should. */
export function parseCursor(cursor: string, shape = /^/): string {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (cursor !== '' && toCursor(key) === cursor && shape.test(key)) return key;
  throw new AdminError(422, 'invalid', 'The request is not valid.', [
    { detail: 'is not a `next_cursor` of this list', parameter: 'cursor' },
  ]);
}
