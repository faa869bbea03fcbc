/** The consumers of a configuration, found by what they authenticate with. */
import type { Consumer, ConsumerDirectory } from '../../plugins/sdk/exchange.ts';
import type { ConsumerConfig } from './config.ts';

export function createConsumerDirectory(consumers: readonly ConsumerConfig[]): ConsumerDirectory {
  const byApiKeyHash = new Map<string, Consumer>();
  const byJwt = new Map<string, Consumer>();
  for (const { name, groups, apiKeyHashes, jwt } of consumers) {
    const consumer: Consumer = Object.freeze({ name, groups });
    for (const hash of apiKeyHashes) byApiKeyHash.set(hash, consumer);
    if (jwt !== undefined) byJwt.set(jwtKey(jwt.issuer, jwt.subject), consumer);
  }
  return {
    byApiKeyHash: (hash) => byApiKeyHash.get(hash),
    byJwt: (issuer, subject) => byJwt.get(jwtKey(issuer, subject)),
  };
}

/** Unambiguous whatever the two contain. */
function jwtKey(issuer: string, subject: string): string {
  return JSON.stringify([issuer, subject]);
}
