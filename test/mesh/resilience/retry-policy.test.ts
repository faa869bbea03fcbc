import { describe, expect, it } from 'vitest';
import {
  createRetryRules,
  decideAfterAnswer,
  decideAfterFailure,
  DEFAULT_RETRY_ON,
  isListedStatus,
  isRetriableStatus,
  type RetryCondition,
  type RetryContext,
} from '../../../src/mesh/resilience/retry-policy.ts';
import { UpstreamError, type UpstreamFailure } from '../../../src/mesh/transport/upstream-error.ts';

const rulesOf = (...on: RetryCondition[]) => createRetryRules({ attempts: 1, on });

function context(rest: Partial<RetryContext> = {}): RetryContext {
  return {
    method: 'GET',
    retries: 0,
    raced: false,
    bodyReplayable: true,
    answerStarted: false,
    remainingMs: 30_000,
    ...rest,
  };
}

function failed(
  failure: UpstreamFailure,
  facts: { sent?: boolean; answered?: boolean; reused?: boolean } = {},
): UpstreamError {
  const never = failure === 'connect' || failure === 'connect-timeout' || failure === 'tls';
  return new UpstreamError(failure, failure, {
    sent: !never,
    answered: false,
    reused: false,
    ...facts,
  });
}

const everything = rulesOf('connect-failure', 'refused-stream', 'reset', 'timeout', '5xx');
const yes = (reason: string, atLeastMs = 0) => ({ retry: true, reason, atLeastMs });
const no = (reason: string) => ({ retry: false, reason });

describe('the rules', () => {
  it('grant one more try by default, on failures to connect, refusals, resets, 502, 503 and 504', () => {
    const rules = createRetryRules({});
    expect(rules.attempts).toBe(1);
    expect([...rules.conditions]).toEqual(DEFAULT_RETRY_ON);
    expect([500, 501, 502, 503, 504].map((status) => isRetriableStatus(rules, status))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    expect(decideAfterFailure(rules, failed('timeout'), context())).toEqual(no('not-listed'));
  });

  it('take any listed status, and 5xx for all of that class', () => {
    expect(isRetriableStatus(rulesOf(429), 429)).toBe(true);
    expect(isRetriableStatus(rulesOf(429), 503)).toBe(false);
    expect(isRetriableStatus(rulesOf('5xx'), 500)).toBe(true);
    expect(isRetriableStatus(rulesOf('5xx'), 599)).toBe(true);
    expect(isRetriableStatus(rulesOf('5xx'), 499)).toBe(false);
    expect(isRetriableStatus(everything, 200)).toBe(false);
    expect(isRetriableStatus(createRetryRules({ attempts: 0 }), 503)).toBe(false);
  });

  it('tell a worse answer from a better one even where nothing is tried again', () => {
    const rules = createRetryRules({ attempts: 0 });
    const listed = [200, 404, 500, 502, 503, 504].filter((status) => isListedStatus(rules, status));
    expect(listed).toEqual([502, 503, 504]);
    expect(isListedStatus(rulesOf('5xx'), 500)).toBe(true);
  });
});

describe('after a failure', () => {
  it.each([
    ['connect', 'connect-failure'],
    ['connect-timeout', 'connect-failure'],
    ['tls', 'connect-failure'],
    ['refused-stream', 'refused-stream'],
    ['reset', 'reset'],
    ['timeout', 'timeout'],
  ] as const)('retries %s where %s is listed, and only there', (failure, condition) => {
    expect(decideAfterFailure(rulesOf(condition), failed(failure), context())).toEqual(
      yes(condition),
    );
    const others = [...everything.conditions].filter((one) => one !== condition);
    expect(decideAfterFailure(rulesOf(...others), failed(failure), context())).toEqual(
      no('not-listed'),
    );
  });

  it.each(['protocol', 'overflow', 'exhausted', 'request-body'] as const)(
    'never retries %s',
    (failure) => {
      expect(decideAfterFailure(everything, failed(failure, { sent: false }), context())).toEqual(
        no('not-listed'),
      );
    },
  );

  it.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])(
    'retries %s that was sent',
    (method) => {
      expect(decideAfterFailure(everything, failed('reset'), context({ method })).retry).toBe(true);
    },
  );

  it.each(['POST', 'PATCH', 'CONNECT', 'get', 'PURGE'])(
    'retries %s only if nothing of it left, or HTTP/2 refused it',
    (method) => {
      const decide = (error: UpstreamError) =>
        decideAfterFailure(everything, error, context({ method }));
      expect(decide(failed('reset'))).toEqual(no('not-idempotent'));
      expect(decide(failed('timeout'))).toEqual(no('not-idempotent'));
      expect(decide(failed('connect'))).toEqual(yes('connect-failure'));
      expect(decide(failed('refused-stream', { sent: true }))).toEqual(yes('refused-stream'));
      expect(decide(failed('reset', { sent: false }))).toEqual(yes('reset'));
    },
  );

  it('takes a connection lost before the first byte for none, where that is listed', () => {
    expect(
      decideAfterFailure(rulesOf('connect-failure'), failed('reset', { sent: false }), context()),
    ).toEqual(yes('reset'));
  });

  it('never retries once the answer has started downstream', () => {
    for (const failure of ['reset', 'timeout'] as const) {
      expect(
        decideAfterFailure(
          everything,
          failed(failure, { answered: true }),
          context({ answerStarted: true }),
        ),
      ).toEqual(no('answer-started'));
    }
  });

  it('does not retry without the body, without time, or more often than allowed', () => {
    const decide = (rest: Partial<RetryContext>) =>
      decideAfterFailure(everything, failed('reset'), context(rest));
    expect(decide({ bodyReplayable: false })).toEqual(no('body-not-replayable'));
    expect(decide({ remainingMs: 0 })).toEqual(no('deadline'));
    expect(decide({ remainingMs: Infinity })).toEqual(yes('reset'));
    expect(decide({ retries: 1 })).toEqual(no('attempts-exhausted'));
    const twice = createRetryRules({ attempts: 2, on: ['reset'] });
    expect(decideAfterFailure(twice, failed('reset'), context({ retries: 1 }))).toEqual(
      yes('reset'),
    );
  });
});

describe('the keep-alive race', () => {
  const race = failed('reset', { reused: true });

  it('is retried though resets are not listed and no attempts are left', () => {
    expect(decideAfterFailure(rulesOf(), race, context())).toEqual(yes('keep-alive-race'));
    expect(decideAfterFailure(rulesOf(), race, context({ retries: 1 }))).toEqual(
      yes('keep-alive-race'),
    );
    expect(decideAfterFailure(createRetryRules({ attempts: 0 }), race, context())).toEqual(
      yes('keep-alive-race'),
    );
  });

  it('is retried once; from then on a reset is like any other', () => {
    expect(decideAfterFailure(rulesOf(), race, context({ raced: true }))).toEqual(no('not-listed'));
    expect(decideAfterFailure(rulesOf('reset'), race, context({ raced: true }))).toEqual(
      yes('reset'),
    );
  });

  it('needs a reused connection and no answer yet', () => {
    expect(decideAfterFailure(rulesOf(), failed('reset'), context())).toEqual(no('not-listed'));
    expect(
      decideAfterFailure(rulesOf(), failed('reset', { reused: true, answered: true }), context()),
    ).toEqual(no('not-listed'));
    expect(decideAfterFailure(rulesOf(), failed('timeout', { reused: true }), context())).toEqual(
      no('not-listed'),
    );
  });

  it('does not repeat what is not idempotent, unless no byte of it left', () => {
    const post = context({ method: 'POST' });
    expect(decideAfterFailure(rulesOf(), race, post)).toEqual(no('not-idempotent'));
    expect(
      decideAfterFailure(rulesOf(), failed('reset', { reused: true, sent: false }), post),
    ).toEqual(yes('keep-alive-race'));
    expect(decideAfterFailure(rulesOf(), race, context({ bodyReplayable: false }))).toEqual(
      no('body-not-replayable'),
    );
  });
});

describe('after an answer', () => {
  const answer = (status: number, retryAfterMs?: number) => ({ status, retryAfterMs });

  it('retries a listed status of an idempotent method', () => {
    const rules = rulesOf(503);
    expect(decideAfterAnswer(rules, answer(503), context())).toEqual(yes('status'));
    expect(decideAfterAnswer(rules, answer(502), context())).toEqual(no('not-listed'));
    expect(decideAfterAnswer(rules, answer(503), context({ method: 'POST' }))).toEqual(
      no('not-idempotent'),
    );
    expect(decideAfterAnswer(rules, answer(503), context({ retries: 1 }))).toEqual(
      no('attempts-exhausted'),
    );
    expect(decideAfterAnswer(rules, answer(503), context({ bodyReplayable: false }))).toEqual(
      no('body-not-replayable'),
    );
    expect(decideAfterAnswer(rules, answer(503), context({ answerStarted: true }))).toEqual(
      no('answer-started'),
    );
  });

  it('waits for a short Retry-After, up to 1 s', () => {
    expect(decideAfterAnswer(everything, answer(503, 0), context())).toEqual(yes('status', 0));
    expect(decideAfterAnswer(everything, answer(503, 1_000), context())).toEqual(
      yes('status', 1_000),
    );
  });

  it('gives the answer to the caller where Retry-After is longer, or than what is left', () => {
    expect(decideAfterAnswer(everything, answer(503, 2_000), context())).toEqual(
      no('retry-after-too-long'),
    );
    expect(
      decideAfterAnswer(everything, answer(503, 1_000), context({ remainingMs: 1_000 })),
    ).toEqual(no('retry-after-too-long'));
  });
});
