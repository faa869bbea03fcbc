/** The corpus of answers, read by the HTTP/1.1 upstream and by undici: no difference but those on the list. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WIRE_ROWS } from './answer-corpus-on-wire.ts';
import type { WireRow } from './answer-corpus-on-wire.ts';
import { aspectsThatDiffer, DIFFERENCES, unlistedAspects } from './answer-differences.ts';
import { isSafe, observe } from './answer-observation.ts';
import type { AskedAnswer, Observation } from './answer-observation.ts';
import { AnswerOrigin } from './answer-origin.ts';
import { createOwnReader, createUndiciReader } from './answer-readers.ts';
import type { Verdict } from './answer-rows.ts';

/** Cut in two at every byte: each kind of framing, and bytes that belong to nobody after each. */
const ROWS_TO_CUT: readonly string[] = [
  'a second answer in the same segment',
  'trailers',
  'several extensions',
  '103 with fields',
  '204 that states no length',
  'HEAD with chunks',
  'no length, and an end later',
  '101 and the tunnel',
  'two equal lengths',
  'a folded value',
  'a chunk shorter than its size',
  'a trailer that ends in LF',
];

const origin = new AnswerOrigin();

beforeAll(() => origin.start());
afterAll(() => origin.close());

const readByUs = (answer: AskedAnswer): Promise<Observation> =>
  observe(origin, createOwnReader, answer);
const readByUndici = (answer: AskedAnswer): Promise<Observation> =>
  observe(origin, createUndiciReader, answer);

function toVerdict({ outcome, next }: Observation): Verdict {
  if (outcome === 'failed') return 'refused';
  if (outcome === 'upgraded') return 'upgraded';
  return next === 'same connection' ? 'reused' : 'closed';
}

/** The list's entries that claim a row. */
const claimsOf = ({ title }: WireRow) => DIFFERENCES.filter(({ rows }) => rows.includes(title));

describe('an answer over a connection', () => {
  it.each(WIRE_ROWS)('is read as undici reads it, or as listed: $title', async (row) => {
    const ours = await readByUs(row.answer);
    const theirs = await readByUndici(row.answer);
    // Whatever is listed: the next request gets its own answer.
    expect([isSafe(ours), ours]).toEqual([true, ours]);
    expect(toVerdict(ours)).toBe(row.verdict ?? toVerdict(ours));
    const claims = claimsOf(row).map((difference) => ({
      reason: difference.reason,
      aspects: difference.explains(row.answer, ours, theirs),
    }));
    const explained = new Set(claims.flatMap(({ aspects }) => aspects));
    const differing = aspectsThatDiffer(ours, theirs);
    const unlisted = differing.filter((aspect) => !explained.has(aspect));
    expect({ unlisted, ours, theirs }).toEqual({ unlisted: [], ours, theirs });
    const obsolete = claims.filter(
      ({ aspects }) => !differing.some((aspect) => aspects.includes(aspect)),
    );
    // Listed, and there is no such difference.
    expect(obsolete).toEqual([]);
  });

  it.each(ROWS_TO_CUT)('is read the same wherever it is cut, by undici too: %s', async (title) => {
    const { answer } = WIRE_ROWS.find((row) => row.title === title)!;
    const text = answer.segments.join('');
    const whole = await readByUs(answer);
    for (let cut = 1; cut < text.length; cut++) {
      const segments = [text.slice(0, cut), text.slice(cut)];
      const ours = await readByUs({ ...answer, segments });
      expect([cut, ours]).toEqual([cut, whole]);
      const theirs = await readByUndici({ ...answer, segments });
      const unlisted = unlistedAspects({ ...answer, segments }, ours, theirs);
      expect({ cut, unlisted, theirs }).toEqual({ cut, unlisted: [], theirs });
    }
    expect(await readByUs({ ...answer, segments: text.split('') })).toEqual(whole);
  });
});

describe('the list of differences', () => {
  it('has a row of the corpus for each, and no row twice in the corpus', () => {
    const titles = WIRE_ROWS.map(({ title }) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
    expect(DIFFERENCES.filter(({ rows }) => rows.length === 0)).toEqual([]);
    const listed = DIFFERENCES.flatMap(({ rows }) => rows);
    expect(listed.filter((title) => !titles.includes(title))).toEqual([]);
  });

  it('names the section of the RFC in each reason', () => {
    for (const { reason } of DIFFERENCES) expect(reason).toMatch(/RFC \d{4} §/);
  });
});
