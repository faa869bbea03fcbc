/** The consumers of a configuration, found by what they authenticate with. */
import type { Consumer, ConsumerDirectory } from '../../plugins/sdk/exchange.ts';
import type { ConsumerConfig } from './config.ts';

export function createConsumerDirectory(consumers: readonly ConsumerConfig[]): ConsumerDirectory {
  const byApiKeyHash = new Map<string, Consumer>();
  /** By issuer, then by subject. */
  const byJwt = new Map<string, Map<string, Consumer>>();
  for (const { name, groups, apiKeyHashes, jwt } of consumers) {
    const consumer: Consumer = Object.freeze({ name, groups });
    for (const hash of apiKeyHashes) byApiKeyHash.set(hash, consumer);
    if (jwt === undefined) continue;
    const subjects = byJwt.get(jwt.issuer) ?? new Map<string, Consumer>();
    byJwt.set(jwt.issuer, subjects.set(jwt.subject, consumer));
  }
  return {
    byApiKeyHash: (hash) => byApiKeyHash.get(hash),
    byJwt: (issuer, subject) => byJwt.get(issuer)?.get(subject),
  };
}
