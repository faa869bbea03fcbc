/** Objects of JSON, told from lists and scalars. */
import type { Json } from './backplane.ts';

export type JsonObject = { readonly [key: string]: Json | undefined };

export function isObject(value: Json | undefined): value is JsonObject;
export function isObject(value: unknown): value is Readonly<Record<string, unknown>>;
export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
