/** Answers for a real connection: what comes after them, how they end, and whether it may be used again. */
import { CHUNKS, CODINGS, LENGTHS, POISON, TRAILERS } from './answer-framing-rows.ts';
import { FIELDS, PERSISTENCE, STATUS_LINES } from './answer-head-rows.ts';
import type { AskedAnswer } from './answer-observation.ts';
import { type AnswerOptions, MAX_HEAD_BYTES, type Row, type Verdict } from './answer-rows.ts';
import { ENDS, INFORMATIONAL } from './answer-sequence-rows.ts';
import { ANSWERS, REFUSED } from './http1-answer-corpus.ts';

export interface WireRow {
  readonly title: string;
  readonly answer: AskedAnswer;
  /** The verdict on it; undefined where the parser's own corpus holds what it must be. */
  readonly verdict: Verdict | undefined;
}

const OWN_ROWS: readonly Row[] = [
  ...POISON,
  ...LENGTHS,
  ...CODINGS,
  ...CHUNKS,
  ...TRAILERS,
  ...STATUS_LINES,
  ...FIELDS,
  ...PERSISTENCE,
  ...INFORMATIONAL,
  ...ENDS,
];

/** All that goes over the wire: the parser's corpus, and these. */
export const WIRE_ROWS: readonly WireRow[] = [
  ...ANSWERS.map(({ title, bytes, options }) => ({
    title: `(parser) ${title}`,
    verdict: undefined,
    answer: toAsked([bytes], {
      isHead: options.isHead === true,
      upgrade: options.mayUpgrade === true ? 'websocket' : undefined,
    }),
  })),
  ...REFUSED.map(({ title, bytes, options }) => ({
    title: `(parser) ${title}`,
    verdict: 'refused' as const,
    answer: toAsked([bytes], { maxHeadBytes: options.maxHeadBytes ?? 4096 }),
  })),
  ...OWN_ROWS.map(([title, verdict, segments, options = {}]) => ({
    title,
    verdict,
    answer: toAsked(typeof segments === 'string' ? [segments] : segments, options),
  })),
];

function toAsked(segments: readonly string[], options: AnswerOptions): AskedAnswer {
  return {
    isHead: false,
    upgrade: undefined,
    maxHeadBytes: MAX_HEAD_BYTES,
    ending: 'keep',
    ...options,
    segments,
  };
}
