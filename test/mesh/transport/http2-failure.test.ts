import { constants } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { toStreamFailure } from '../../../src/mesh/transport/http2-failure.ts';
import type { StreamEnd } from '../../../src/mesh/transport/http2-failure.ts';

function failureOf(end: Partial<StreamEnd>): ReturnType<typeof toStreamFailure> {
  const code = constants.NGHTTP2_NO_ERROR;
  return toStreamFailure({ code, cause: undefined, isPastGoaway: false, answered: false, ...end });
}

describe('the end of a stream before its answer', () => {
  it.each([
    ['NO_ERROR', constants.NGHTTP2_NO_ERROR, 'reset', true],
    ['INTERNAL_ERROR', constants.NGHTTP2_INTERNAL_ERROR, 'reset', true],
    ['CANCEL', constants.NGHTTP2_CANCEL, 'reset', true],
    ['ENHANCE_YOUR_CALM', constants.NGHTTP2_ENHANCE_YOUR_CALM, 'reset', true],
    ['PROTOCOL_ERROR', constants.NGHTTP2_PROTOCOL_ERROR, 'protocol', true],
    ['HTTP_1_1_REQUIRED', constants.NGHTTP2_HTTP_1_1_REQUIRED, 'protocol', true],
    ['refused the stream', constants.NGHTTP2_REFUSED_STREAM, 'refused-stream', false],
  ])('with %s', (name, code, failure, sent) => {
    const { message, ...rest } = failureOf({ code });
    expect(rest).toEqual({ failure, sent });
    expect(message).toContain(name);
  });

  it('is a refusal past the last stream of a GOAWAY, whatever the code', () => {
    const end = { isPastGoaway: true, code: constants.NGHTTP2_INTERNAL_ERROR };
    expect(failureOf(end)).toMatchObject({ failure: 'refused-stream', sent: false });
  });

  it('is no refusal once an answer has begun', () => {
    const end = { code: constants.NGHTTP2_REFUSED_STREAM, answered: true };
    expect(failureOf(end)).toMatchObject({ failure: 'reset', sent: true });
  });

  it('with its session is a reset, or what broke the session', () => {
    const lost = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const garbage = Object.assign(new Error('Protocol error'), { code: 'ERR_HTTP2_ERROR' });
    const code = constants.NGHTTP2_INTERNAL_ERROR;
    expect(failureOf({ cause: lost, code }).failure).toBe('reset');
    expect(failureOf({ cause: garbage, code }).failure).toBe('protocol');
  });
});
