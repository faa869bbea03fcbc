/** Requests with tokens, and the plugin that they meet in most tests of `jwt`. */
import { expect } from 'vitest';
import { jwt } from '../../../src/plugins/jwt/jwt.ts';
import { Problem, type Exchange, type PluginHooks } from '../../../src/plugins/sdk/plugin.ts';
import { configure, createTestContext, createTestExchange, type TestContext } from '../fixtures.ts';
import { AUDIENCE, ISSUER, keySet, type SigningKey } from './issuer.ts';

export interface TestPlugin extends TestContext {
  readonly hooks: PluginHooks;
}

/** The plugin with these keys inline, for the tests' issuer and audience unless `config` says otherwise. */
export function createPlugin(keys: readonly SigningKey[], config: object = {}): TestPlugin {
  const context = createTestContext();
  const base = { issuer: ISSUER, audience: AUDIENCE, jwks: keySet(keys) };
  return { ...context, hooks: jwt.create(configure(jwt, { ...base, ...config }), context) };
}

/** A request with a token, and more field lines after it. */
export function bearer(token: string, ...more: string[]): Exchange {
  return createTestExchange({ headers: ['Authorization', `Bearer ${token}`, ...more] });
}

export async function refusal(hooks: PluginHooks, exchange: Exchange): Promise<Problem> {
  const result = await hooks.onRequest!(exchange);
  expect(result).toBeInstanceOf(Problem);
  return result as Problem;
}

export function challengeOf(problem: Problem): string {
  const at = problem.headers.indexOf('www-authenticate');
  return at < 0 ? '' : problem.headers[at + 1]!;
}
