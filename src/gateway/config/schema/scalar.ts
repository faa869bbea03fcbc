/** Schemas of the values that several nouns of the configuration are made of. */
import { Type } from 'typebox';
import { ByteSize } from '../../../plugins/sdk/quantity.ts';

/** For every object: an unknown key is an error. */
export const CLOSED = { additionalProperties: false } as const;

/** What a name may be; without anchors. */
export const NAME = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';

/** A name that other places may refer to. */
export function Name(description: string) {
  return Type.String({
    pattern: `^${NAME}$`,
    examples: ['orders', 'orders-v2'],
    description,
  });
}

/** A text that is not empty. */
export function Text(description: string) {
  return Type.String({ minLength: 1, description });
}

/** `host:port`; an IPv6 address stands in brackets. */
export function Address(description: string) {
  return Type.String({
    pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[^\\s:/\\[\\]@]+):[0-9]{1,5}$',
    examples: ['127.0.0.1:8080', '[::1]:8080'],
    description,
  });
}

/** A number of bytes, plain or with a unit. */
export function Size(options: { readonly default: string; readonly description: string }) {
  const { pattern } = ByteSize() as unknown as { readonly pattern: string };
  return Type.Unsafe<number | string>({
    type: ['integer', 'string'],
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    pattern,
    examples: ['64KiB', '1MiB', 1000],
    ...options,
  });
}

/** A share between 0 and 1. */
export function Share(options: { readonly default: number; readonly description: string }) {
  return Type.Number({ minimum: 0, maximum: 1, ...options });
}

/** A path that begins with a slash and has no query. */
export function AbsolutePath(description: string) {
  return Type.String({ pattern: '^/[^?#\\s]*$', examples: ['/', '/orders'], description });
}

/** Texts by name, such as an endpoint's metadata. */
export function TextMap(description: string) {
  return Type.Record(Type.String(), Type.String(), { default: {}, description });
}

/** What people, tools and tokens of the admin API tell objects apart by; it changes nothing else. */
export function Labels() {
  return Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'Labels by name, for filters and the scopes of admin tokens.',
    }),
  );
}
