/** Bends a text at a few places: an octet more, another or gone, an end too early, a piece doubled. */
import * as fc from 'fast-check';

export type Mutation = (text: string) => string;

const odd = fc.constantFrom(
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  '\x0b',
  '\x7f',
  '\xe9',
  ':',
  ';',
  ',',
  '"',
  '0',
  '1',
  'a',
  '-',
  '',
);
/** A place, as a share of the whole. */
export const place = fc.nat(9999);
/** Where that is in a text. */
export const offsetAt = (text: string, share: number): number =>
  Math.floor((share * (text.length + 1)) / 10_000);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, odd).map(
    ([share, octet]): Mutation =>
      (text) =>
        text.slice(0, offsetAt(text, share)) + octet + text.slice(offsetAt(text, share)),
  ),
  fc.tuple(place, odd).map(
    ([share, octet]): Mutation =>
      (text) =>
        text.slice(0, offsetAt(text, share)) + octet + text.slice(offsetAt(text, share) + 1),
  ),
  // Cut off, or a piece of it doubled.
  place.map(
    (share): Mutation =>
      (text) =>
        text.slice(0, offsetAt(text, share)),
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(
    ([share, length]): Mutation =>
      (text) =>
        text.slice(0, offsetAt(text, share) + length) + text.slice(offsetAt(text, share)),
  ),
);
export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.oneof(
  { weight: 5, arbitrary: fc.constant([]) },
  { weight: 2, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 2 }) },
);
