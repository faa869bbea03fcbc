/** The kinds of differences between two readers of an answer, as conditions on what both made of it. */
import type { AskedAnswer, Observation } from './answer-observation.ts';

export type Aspect = Exclude<keyof Observation, 'failure'>;

export const ASPECTS: readonly Aspect[] = [
  'outcome',
  'waited',
  'informational',
  'status',
  'reason',
  'fields',
  'body',
  'trailers',
  'next',
];

export const NONE: readonly Aspect[] = [];

export interface Difference {
  /** Why the upstream reads it so, or what it is in undici that is no model. */
  readonly reason: string;
  /** The rows of the corpus that show it, by their titles. */
  readonly rows: readonly string[];
  /** What may differ by it between the two, for any answer. */
  readonly explains: Explains;
}

type Explains = (asked: AskedAnswer, ours: Observation, theirs: Observation) => readonly Aspect[];

type Condition = (text: string, asked: AskedAnswer, ours: Observation) => boolean;

/** We refuse it with this failure, where undici reads it, or refuses it later. */
export function refusedByUs(failure: string | RegExp, isMet: Condition): Explains {
  return (asked, ours) =>
    ours.failure !== undefined &&
    ours.failure.search(failure) !== -1 &&
    isMet(textOf(asked), asked, ours)
      ? ASPECTS
      : NONE;
}

/** Undici fails with this, where we read it, or refuse it later. */
export function readByUs(failure: string, isMet: Condition): Explains {
  return (asked, ours, theirs) =>
    theirs.failure?.includes(failure) === true && isMet(textOf(asked), asked, ours)
      ? ASPECTS
      : NONE;
}

/** Both read it, and undici gives the connection up. */
export function keptByUs(isMet: Condition): Explains {
  return (asked, ours, theirs) =>
    isKept(ours) && isClosed(theirs) && isMet(textOf(asked), asked, ours) ? ['next'] : NONE;
}

/** Both read it, and we give the connection up. */
export function keptByUndici(isMet: Condition): Explains {
  return (asked, ours, theirs) =>
    isClosed(ours) && isKept(theirs) && isMet(textOf(asked), asked, ours) ? ['next'] : NONE;
}

function isKept({ outcome, next }: Observation): boolean {
  return outcome === 'done' && next === 'same connection';
}

function isClosed({ outcome, next }: Observation): boolean {
  return outcome === 'done' && next === 'new connection';
}

export function textOf({ segments }: AskedAnswer): string {
  return segments.join('');
}

/** The values of all lines of this name, in any head and in trailers. */
export function linesOf(text: string, name: string): string[] {
  return text
    .split(/\r\n/)
    .filter((line) => line.slice(0, name.length + 1).toLowerCase() === `${name}:`)
    .map((line) => trimmed(line.slice(name.length + 1)));
}

/** Whether a field says that there is a body. */
export function statesBody(text: string): boolean {
  return (
    linesOf(text, 'transfer-encoding').length > 0 ||
    linesOf(text, 'content-length').some((value) => Number(value) > 0)
  );
}

/** What is the same once white space after values is taken off. */
export function withTrimmedValues(ours: Observation, theirs: Observation): Aspect[] {
  const alike: Aspect[] = [];
  if (isSame(ours.fields, theirs.fields.map(trimmed))) alike.push('fields');
  if (isSame(ours.trailers, theirs.trailers.map(trimmed))) alike.push('trailers');
  const informational = theirs.informational.map(({ status, headers }) => ({
    status,
    headers: headers.map(trimmed),
  }));
  if (isSame(ours.informational, informational)) alike.push('informational');
  return alike;
}

function trimmed(value: string): string {
  return value.replaceAll(/^[\t ]+|[\t ]+$/g, '');
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function hasName(fields: readonly string[], name: string): boolean {
  return fields.some((field, index) => index % 2 === 0 && field.toLowerCase() === name);
}
