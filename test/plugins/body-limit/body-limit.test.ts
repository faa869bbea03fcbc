/** body-limit. */
import { describe, expect, it } from 'vitest';
import { bodyLimit } from '../../../src/plugins/body-limit/body-limit.ts';
import { configure, createTestContext, createTestExchange } from '../fixtures.ts';

const hooks = bodyLimit.create(configure(bodyLimit, { max: '1KiB' }), createTestContext());

describe('body-limit', () => {
  it.each([0, 1024, undefined])(
    'sets the limit on a body of %s declared bytes',
    (contentLength) => {
      const exchange = createTestExchange({ method: 'POST', contentLength });
      expect(hooks.onRequest!(exchange)).toBeUndefined();
      expect(exchange.bodyLimits).toEqual([1024]);
    },
  );

  it('refuses with 413 what is declared to be larger', () => {
    const exchange = createTestExchange({ method: 'POST', contentLength: 1025 });
    expect(hooks.onRequest!(exchange)).toMatchObject({ status: 413, code: 'payload_too_large' });
  });

  it.each([{}, { max: '1 MiB' }, { max: '-1' }, { max: '1MiB', min: '1' }])(
    'refuses the configuration %j',
    (config) => {
      expect(() => configure(bodyLimit, config)).toThrow(/max|additional/);
    },
  );
});
