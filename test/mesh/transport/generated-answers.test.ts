/** Answers that nobody thought of: the HTTP/1.1 upstream and undici make the same of them, but for what is listed. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GENERATED_SEED, generatedRuns } from '../../generated-runs.ts';
import { unlistedAspects } from './answer-differences.ts';
import { type AskedAnswer, isSafe, observe } from './answer-observation.ts';
import { AnswerOrigin } from './answer-origin.ts';
import { createOwnReader, createUndiciReader } from './answer-readers.ts';
import { answer } from './generated-answers.ts';

const RUNS = generatedRuns(500);
const TIMEOUT_MS = 60_000 + RUNS * 1000;

const origin = new AnswerOrigin();

beforeAll(() => origin.start());
afterAll(() => origin.close());

it(
  'agree on generated answers',
  async () => {
    const agreement = fc.assert(fc.asyncProperty(answer, expectAgreement), {
      numRuns: RUNS,
      seed: GENERATED_SEED,
    });
    await expect(agreement).resolves.toBeUndefined();
  },
  TIMEOUT_MS,
);

async function expectAgreement(asked: AskedAnswer): Promise<void> {
  // A machine that stalls may let one of them see less before the end: a difference stays one.
  for (let again = 2; ; again--) {
    const ours = await observe(origin, createOwnReader, asked);
    const theirs = await observe(origin, createUndiciReader, asked);
    const unlisted = unlistedAspects(asked, ours, theirs);
    // Whatever undici makes of it: the next request gets its own answer.
    if (isSafe(ours) && unlisted.length === 0) return;
    if (again === 0) throw new Error(JSON.stringify({ unlisted, ours, theirs }, null, 2));
  }
}
