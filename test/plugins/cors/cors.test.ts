/** cors, by the cases of the Fetch standard's CORS protocol. */
import { describe, expect, it } from 'vitest';
import { cors } from '../../../src/plugins/cors/cors.ts';
import type { Answer, HeaderFields } from '../../../src/plugins/sdk/plugin.ts';
import { configure, createTestContext, createTestExchange } from '../fixtures.ts';

const APP = 'https://app.example.com';
const FOREIGN = 'https://evil.example.net';
const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

const create = (config: object) => cors.create(configure(cors, config), createTestContext());

/** What a preflight is answered with, after the hooks that see every answer. */
function preflight(
  config: object,
  {
    origin = APP,
    method = 'PUT',
    headers,
  }: { origin?: string; method?: string; headers?: string | undefined } = {},
): { status: number; headers: HeaderFields } {
  const hooks = create(config);
  const exchange = createTestExchange({
    method: 'OPTIONS',
    headers: [
      'Origin',
      origin,
      'Access-Control-Request-Method',
      method,
      ...(headers === undefined ? [] : ['Access-Control-Request-Headers', headers]),
    ],
  });
  const result = hooks.onRequest!(exchange) as Answer;
  for (let i = 0; i < result.headers.length; i += 2) {
    exchange.response.headers.add(result.headers[i]!, result.headers[i + 1]!);
  }
  void hooks.onResponse!(exchange);
  return { status: result.status, headers: exchange.response.headers };
}

/** The fields of an ordinary answer. */
function ordinary(
  config: object,
  origin: string | undefined,
  responseHeaders: string[] = [],
  method = 'GET',
): HeaderFields {
  const hooks = create(config);
  const exchange = createTestExchange({
    method,
    headers: origin === undefined ? [] : ['Origin', origin],
    responseHeaders,
  });
  expect(hooks.onRequest!(exchange)).toBeUndefined();
  void hooks.onResponse!(exchange);
  return exchange.response.headers;
}

const namesOf = (headers: HeaderFields): string[] =>
  [...headers]
    .map(([name]) => name.toLowerCase())
    .filter((name) => name.startsWith('access-control-'));

describe('a preflight', () => {
  it('is answered with 204 and all that it asked for', () => {
    const { status, headers } = preflight(
      { origins: [APP] },
      { headers: 'content-type,authorization' },
    );
    expect(status).toBe(204);
    expect(Object.fromEntries(headers)).toEqual({
      Vary: PREFLIGHT_VARY,
      'Access-Control-Allow-Origin': APP,
      'Access-Control-Allow-Methods': 'GET, HEAD, PUT, PATCH, POST, DELETE',
      'Access-Control-Allow-Headers': 'content-type,authorization',
      'Access-Control-Max-Age': '300',
    });
  });

  it('lets credentials through only where they are meant to be', () => {
    const config = { origins: [APP], credentials: true };
    expect(preflight(config).headers.get('access-control-allow-credentials')).toBe('true');
    expect(preflight({ origins: [APP] }).headers.has('access-control-allow-credentials')).toBe(
      false,
    );
  });

  it.each([
    ['a foreign origin', { origins: [APP] }, { origin: FOREIGN }],
    ['the origin null', { origins: [APP] }, { origin: 'null' }],
    ['a method that is not listed', { origins: [APP], methods: ['GET'] }, { method: 'PUT' }],
    ['a method of another case', { origins: [APP], methods: ['PATCH'] }, { method: 'patch' }],
    ['a method that is none', { origins: [APP], methods: ['*'] }, { method: 'PU T' }],
    ['a header that is not listed', { origins: [APP], headers: ['x-a'] }, { headers: 'x-a, x-b' }],
    ['any header where none is listed', { origins: [APP], headers: [] }, { headers: 'x-a' }],
    ['a list of headers that is none', { origins: [APP] }, { headers: 'x-a: 1' }],
    ['a list of headers that is endless', { origins: [APP] }, { headers: `x-${'a'.repeat(5000)}` }],
  ])('of %s is refused: no field but Vary', (_, config, request) => {
    const { status, headers } = preflight(config, request);
    expect(status).toBe(204);
    expect([...headers]).toEqual([['Vary', PREFLIGHT_VARY]]);
  });

  it('compares header names without regard to case and answers with the list', () => {
    const config = { origins: [APP], headers: ['X-Tenant', 'Content-Type'] };
    const { headers } = preflight(config, { headers: 'content-type , x-tenant' });
    expect(headers.get('access-control-allow-headers')).toBe('X-Tenant, Content-Type');
  });

  it('echoes the method where any is allowed', () => {
    const { headers } = preflight({ origins: [APP], methods: ['*'] }, { method: 'REPORT' });
    expect(headers.get('access-control-allow-methods')).toBe('REPORT');
  });

  it('is told no headers where it asked for none and any is allowed', () => {
    expect(preflight({ origins: [APP] }).headers.has('access-control-allow-headers')).toBe(false);
  });

  it('tells for how long in whole seconds', () => {
    const maxAge = (text: string) =>
      preflight({ origins: [APP], maxAge: text }).headers.get('access-control-max-age');
    expect(maxAge('2h')).toBe('7200');
    expect(maxAge('1500ms')).toBe('1');
    expect(maxAge('0s')).toBe('0');
  });

  it('is for any origin answered with *, but never together with credentials', () => {
    expect(preflight({ origins: ['*'] }).headers.get('access-control-allow-origin')).toBe('*');
    const listed = preflight({ origins: ['https://*.example.com'], credentials: true });
    expect(listed.headers.get('access-control-allow-origin')).toBe(APP);
  });

  it.each([
    ['without Origin', ['Access-Control-Request-Method', 'PUT']],
    ['without Access-Control-Request-Method', ['Origin', APP]],
  ])('is none %s: such an OPTIONS goes on', (_, headers) => {
    const exchange = createTestExchange({ method: 'OPTIONS', headers });
    expect(create({ origins: [APP] }).onRequest!(exchange)).toBeUndefined();
  });

  it('is none with another method', () => {
    const headers = ['Origin', APP, 'Access-Control-Request-Method', 'PUT'];
    const exchange = createTestExchange({ method: 'POST', headers });
    expect(create({ origins: [APP] }).onRequest!(exchange)).toBeUndefined();
  });

  it('that another instance has answered keeps its answer', () => {
    const [everywhere, onRoute] = [create({ origins: [APP] }), create({ origins: [FOREIGN] })];
    const exchange = createTestExchange({
      method: 'OPTIONS',
      headers: ['Origin', APP, 'Access-Control-Request-Method', 'PUT'],
      responseHeaders: ['Access-Control-Allow-Origin', APP],
    });
    void everywhere.onRequest!(exchange);
    void onRoute.onResponse!(exchange);
    expect(exchange.response.headers.get('access-control-allow-origin')).toBe(APP);
  });
});

describe('an ordinary answer', () => {
  it('may be read by a listed origin, which is echoed as it was sent', () => {
    expect([...ordinary({ origins: [APP] }, APP)]).toEqual([
      ['Vary', 'Origin'],
      ['Access-Control-Allow-Origin', APP],
    ]);
    const echoed = ordinary({ origins: ['https://*.example.com'] }, 'https://a.b.example.com');
    expect(echoed.get('access-control-allow-origin')).toBe('https://a.b.example.com');
  });

  it('names credentials and exposed headers', () => {
    const config = { origins: [APP], credentials: true, exposeHeaders: ['X-Total', 'RateLimit'] };
    const headers = ordinary(config, APP);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-expose-headers')).toBe('X-Total, RateLimit');
  });

  it.each([[FOREIGN], ['null'], ['https://app.example.com.evil.net'], [undefined]])(
    'to %s goes out unreadable, yet says that it depends on the origin',
    (origin) => {
      const config = { origins: [APP], credentials: true, exposeHeaders: ['X-Total'] };
      expect([...ordinary(config, origin)]).toEqual([['Vary', 'Origin']]);
    },
  );

  it('may be read by the origin null only where it is listed', () => {
    expect(ordinary({ origins: ['null'] }, 'null').get('access-control-allow-origin')).toBe('null');
  });

  it.each([APP, undefined])('for any origin is the same for all, also for %s', (origin) => {
    expect([...ordinary({ origins: ['*'] }, origin)]).toEqual([
      ['Access-Control-Allow-Origin', '*'],
    ]);
  });

  it('to an OPTIONS that is no preflight has the fields too', () => {
    expect(
      ordinary({ origins: [APP] }, APP, [], 'OPTIONS').get('access-control-allow-origin'),
    ).toBe(APP);
  });

  it.each([
    [['Vary', 'Accept-Encoding'], 'Accept-Encoding, Origin'],
    [['vary', 'accept, ORIGIN'], 'accept, ORIGIN'],
    [['Vary', 'Accept', 'Vary', 'Cookie'], 'Accept, Cookie, Origin'],
    [['Vary', '*'], '*'],
    [['Vary', ''], 'Origin'],
    [['Vary', 'X-Origin'], 'X-Origin, Origin'],
  ])('merges Vary: %j', (upstream, vary) => {
    expect(ordinary({ origins: [APP] }, APP, upstream).get('vary')).toBe(vary);
  });

  it.each([APP, FOREIGN])("has nothing of the upstream's own CORS fields, for %s", (origin) => {
    const headers = ordinary({ origins: [APP] }, origin, [
      'Content-Type',
      'text/plain',
      'access-control-allow-origin',
      '*',
      'ACCESS-CONTROL-ALLOW-CREDENTIALS',
      'true',
      'Access-Control-Expose-Headers',
      'X-Secret',
      'Access-Control-Allow-Methods',
      'DELETE',
      'Access-Control-Max-Age',
      '9',
    ]);
    expect(namesOf(headers)).toEqual(origin === APP ? ['access-control-allow-origin'] : []);
    expect(headers.getAll('access-control-allow-origin')).toEqual(origin === APP ? [APP] : []);
    expect(headers.get('content-type')).toBe('text/plain');
  });

  it('takes away a lone CORS field wherever it stands', () => {
    const headers = ordinary({ origins: [APP] }, FOREIGN, [
      'a',
      '1',
      'Access-Control-Max-Age',
      '9',
    ]);
    expect(namesOf(headers)).toEqual([]);
  });
});

describe("cors' configuration", () => {
  it('fills in the defaults', () => {
    expect(configure(cors, { origins: [APP] })).toEqual({
      origins: [APP],
      methods: ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'],
      headers: ['*'],
      exposeHeaders: [],
      credentials: false,
      maxAge: '5m',
    });
  });

  it.each([
    [{}, /origins/],
    [{ origins: [] }, /origins/],
    [{ origins: [APP, 'app.example.com'] }, /^origins\[1\]: "app\.example\.com" is no origin/],
    [{ origins: [`${APP}/`] }, /^origins\[0\]/],
    [{ origins: [APP, '*'], credentials: true }, /^origins\[1\]: '\*' with credentials/],
    [{ origins: [APP], credentials: true, exposeHeaders: ['a', '*'] }, /^exposeHeaders\[1\]/],
    [{ origins: [APP], methods: ['PU T'] }, /methods/],
    [{ origins: [APP], headers: ['a, b'] }, /headers/],
    [{ origins: [APP], maxAge: '5 minutes' }, /maxAge/],
    [{ origins: [APP], origin: APP }, /additional/],
  ])('refuses %j', (config, message) => {
    expect(() => configure(cors, config)).toThrow(message);
  });

  it('stands at the edge, before anything that could refuse a preflight', () => {
    expect(cors.stage).toBe('edge');
  });
});
