/** The upstream's field lines on their way down: without what ended at the hop between us. */

import { ANSWER_FIELDS_OF_A_HOP } from '../../mesh/transport/http1-answer-head.ts';
import { toWholeNumber } from '../../mesh/transport/octets.ts';
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';

/** What a pass over field lines found. */
interface Findings {
  /** From Content-Length; undefined where there was none. */
  readonly length: number | undefined;
  /** Names that Connection lists, in lower case. */
  readonly nominated: readonly string[] | undefined;
}

const HOP_BY_HOP: ReadonlySet<string> = new Set(ANSWER_FIELDS_OF_A_HOP);

const END_TO_END = 0;
const DROP = 1;
const CONNECTION = 2;
const CONTENT_LENGTH = 3;

/** By the spelling received, so that the pass makes no strings; bounded, for upstreams choose it. */
const bySpelling = new Map<string, number>();
const SPELLINGS_MAX = 2048;

function dispositionOf(name: string): number {
  // As most of them spell what nearly every answer has.
  if (name === 'Content-Length') return CONTENT_LENGTH;
  if (name === 'Connection') return CONNECTION;
  if (name === 'Date') return END_TO_END;
  const known = bySpelling.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  let disposition = HOP_BY_HOP.has(lower) ? DROP : END_TO_END;
  if (lower === 'connection') disposition = CONNECTION;
  if (lower === 'content-length') disposition = CONTENT_LENGTH;
  if (bySpelling.size < SPELLINGS_MAX) bySpelling.set(name, disposition);
  return disposition;
}

/**
 * Takes the hop-by-hop fields out of an answer's, in place (RFC 9110 §7.6.1); of the text there are none
 * by themselves. Returns what Content-Length said, undefined where there was none.
 */
export function takeAnswerFields(headers: HeaderFields): number | undefined {
  const { length, nominated } = takeHopFields(headers.rest);
  if (nominated !== undefined) headers.raw = withoutNominated(headers.raw, nominated);
  return length;
}

/** The lines of an interim answer, or trailers, without the hop-by-hop fields. Changes `raw`. */
export function toPassedFields(raw: string[]): string[] {
  const { nominated } = takeHopFields(raw);
  return nominated === undefined ? raw : withoutNominated(raw, nominated);
}

function takeHopFields(raw: string[]): Findings {
  let length: number | undefined;
  let nominated: string[] | undefined;
  let kept = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const disposition = dispositionOf(name);
    if (disposition === END_TO_END) {
      raw[kept] = name;
      raw[kept + 1] = raw[i + 1]!;
      kept += 2;
    } else if (disposition === CONTENT_LENGTH) {
      length = toLength(raw[i + 1]!);
    } else if (disposition === CONNECTION) {
      const value = raw[i + 1]!;
      if (value !== 'keep-alive' && value !== 'close') {
        (nominated ??= []).push(...value.toLowerCase().split(/[,\s]+/));
      }
    }
  }
  // Where there is little to take, for less than what setting its length costs.
  while (raw.length > kept) raw.pop();
  return { length, nominated };
}

/** NaN: not a length. Of HTTP/2 it has not been checked. */
function toLength(value: string): number {
  const length = toWholeNumber(value);
  return length === -1 ? Number(value) : length;
}

function withoutNominated(raw: readonly string[], nominated: readonly string[]): string[] {
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (!nominated.includes(raw[i]!.toLowerCase())) fields.push(raw[i]!, raw[i + 1]!);
  }
  return fields;
}
