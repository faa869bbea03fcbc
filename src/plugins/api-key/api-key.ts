/** `api-key`: knows the consumer by a secret key that it sends. */
import { hash } from 'node:crypto';
import {
  AMBIGUOUS,
  definePlugin,
  findCredential,
  problem,
  removeCredential,
  type CredentialSource,
  type ExchangeRequest,
  type PluginHooks,
} from '../sdk/plugin.ts';
import { apiKeyConfig, type ApiKeyConfig } from './schema.ts';

/** Nobody's key is longer; hashing megabytes of header would be work for free. */
const MAX_KEY_LENGTH = 1024;

export const apiKey = definePlugin({
  name: 'api-key',
  config: apiKeyConfig,
  stage: 'authenticate',
  credentials: sourcesOf,
  create: createApiKey,
});

function sourcesOf({ header, query }: ApiKeyConfig): readonly CredentialSource[] {
  return [{ header }, ...(query === undefined ? [] : [{ query }])];
}

function createApiKey(config: ApiKeyConfig): PluginHooks {
  const sources = sourcesOf(config);
  const refusal = (detail: string) =>
    problem(401, 'unauthenticated', {
      detail,
      headers: { 'www-authenticate': `ApiKey realm="${config.realm}"` },
    });
  const missing = refusal('An API key is required.');
  const unknown = refusal('The API key is not known.');
  const several = refusal('More than one API key was sent.');

  return {
    onRequest(exchange) {
      const key = findKey(exchange.request, sources);
      if (key === undefined) return config.optional ? undefined : missing;
      if (key === AMBIGUOUS) return several;
      if (key.length > MAX_KEY_LENGTH) return unknown;
      // Looking the digest up in a hash map is no timing oracle. Whatever the time tells of how far
      // two digests agree, a caller cannot steer its own towards another without inverting
      // SHA-256, and a digest that was learnt whole still opens nothing.
      const consumer = exchange.consumers.byApiKeyHash(hash('sha256', key, 'hex'));
      if (consumer === undefined) return unknown;
      exchange.consumer ??= consumer;
      if (!config.forward) for (const source of sources) removeCredential(exchange.request, source);
      return undefined;
    },
  };
}

function findKey(
  request: ExchangeRequest,
  sources: readonly CredentialSource[],
): string | undefined | typeof AMBIGUOUS {
  let found: string | undefined;
  for (const source of sources) {
    const key = findCredential(request, source);
    if (key === undefined) continue;
    if (key === AMBIGUOUS || found !== undefined) return AMBIGUOUS;
    found = key;
  }
  return found;
}
