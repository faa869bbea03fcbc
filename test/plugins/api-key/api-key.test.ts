/** Whom `api-key` knows, and what it answers to others. */
import { describe, expect, it } from 'vitest';
import { apiKey } from '../../../src/plugins/api-key/api-key.ts';
import {
  configure,
  createTestContext,
  createTestExchange,
  type TestExchangeOptions,
} from '../fixtures.ts';

const KEY = 'mg_0123456789abcdef0123456789abcdef';
const consumers = [{ name: 'acme', groups: ['gold'], apiKeys: [KEY] }];
const create = (config: object = {}) =>
  apiKey.create(configure(apiKey, config), createTestContext());
const send = (options: TestExchangeOptions) => createTestExchange({ consumers, ...options });
const REFUSED = {
  status: 401,
  code: 'unauthenticated',
  headers: ['www-authenticate', 'ApiKey realm="meshgate"'],
};

describe('api-key', () => {
  it('finds the consumer, synchronously, and keeps the key from the service', () => {
    const exchange = send({ headers: ['Accept', '*/*', 'X-API-Key', KEY] });
    expect(create().onRequest!(exchange)).toBeUndefined();
    expect(exchange.consumer?.name).toBe('acme');
    expect(exchange.request.headers.raw).toEqual(['Accept', '*/*']);
  });

  it('finds the consumer by a field of another name', () => {
    const exchange = send({ headers: ['apikey', KEY] });
    expect(create({ header: 'ApiKey' }).onRequest!(exchange)).toBeUndefined();
    expect(exchange.consumer?.name).toBe('acme');
  });

  it('finds the consumer by a query parameter only where one is named, and takes it out', () => {
    const query = `?page=1&key=${KEY}&sort=%61`;
    expect(create().onRequest!(send({ query }))).toMatchObject(REFUSED);
    const exchange = send({ query });
    expect(create({ query: 'key' }).onRequest!(exchange)).toBeUndefined();
    expect(exchange.consumer?.name).toBe('acme');
    expect(exchange.request.query).toBe('?page=1&sort=%61');
  });

  it.each(['', '?', '?a=1&b'])(
    'leaves the query %j as it is where the key came in the field',
    (query) => {
      const exchange = send({ headers: ['X-API-Key', KEY], query });
      expect(create({ query: 'key' }).onRequest!(exchange)).toBeUndefined();
      expect(exchange.request.query).toBe(query);
    },
  );

  it('passes the key on where that is asked for', () => {
    const exchange = send({ headers: ['x-api-key', KEY], query: '?a=1' });
    expect(create({ forward: true, query: 'key' }).onRequest!(exchange)).toBeUndefined();
    expect(exchange.request.headers.get('x-api-key')).toBe(KEY);
    expect(exchange.request.query).toBe('?a=1');
  });

  it('leaves the consumer that an earlier plugin found, but wants a good key all the same', () => {
    const earlier = { name: 'earlier', groups: [] };
    const exchange = send({ headers: ['x-api-key', KEY], consumer: earlier });
    expect(create().onRequest!(exchange)).toBeUndefined();
    expect(exchange.consumer).toBe(earlier);
    expect(create().onRequest!(send({ consumer: earlier }))).toMatchObject(REFUSED);
  });

  it('lets a request without a key through where it is optional, as nobody', () => {
    const exchange = send({});
    expect(create({ optional: true }).onRequest!(exchange)).toBeUndefined();
    expect(exchange.consumer).toBeUndefined();
  });

  const refused: readonly [name: string, options: TestExchangeOptions][] = [
    ['an unknown key', { headers: ['x-api-key', `${KEY}0`] }],
    ['an empty key', { headers: ['x-api-key', ''] }],
    ['a huge key', { headers: ['x-api-key', 'x'.repeat(1_000_000)] }],
    ['the hash in place of the key', { headers: ['x-api-key', 'a'.repeat(64)] }],
    ['two lines of a good key', { headers: ['x-api-key', KEY, 'X-Api-Key', KEY] }],
    ['a good and a bad line', { headers: ['x-api-key', KEY, 'x-api-key', 'x'] }],
    ['two keys in one line', { headers: ['x-api-key', `${KEY}, ${KEY}`] }],
    [
      'a key in the field and one in the query',
      { headers: ['x-api-key', KEY], query: `?key=${KEY}` },
    ],
    ['two in the query, one spelled otherwise', { query: `?key=${KEY}&%6bey=${KEY}` }],
  ];
  it.each(refused)('refuses %s with 401, even where a key is optional', (_name, options) => {
    const hooks = create({ optional: true, query: 'key' });
    const exchange = send(options);
    expect(hooks.onRequest!(exchange)).toMatchObject(REFUSED);
    expect(exchange.consumer).toBeUndefined();
  });

  it('refuses a request without a key with 401 and the realm', () => {
    expect(create({ realm: 'orders' }).onRequest!(send({}))).toMatchObject({
      status: 401,
      headers: ['www-authenticate', 'ApiKey realm="orders"'],
    });
  });

  it('does not accept a realm that would end its quotes, nor an unknown setting', () => {
    expect(() => create({ realm: 'a"b' })).toThrow('data/realm must match pattern');
    expect(() => create({ cookie: 'key' })).toThrow('must NOT have additional properties');
  });
});
