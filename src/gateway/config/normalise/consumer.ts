/** Consumers: who calls, and what they are known by. */
import type { ConsumerConfig } from '../config.ts';
import type { ConfigPath } from '../config-path.ts';
import type { RawConsumer } from '../schema/consumer.ts';
import { mapPresent, type Draft } from './draft.ts';

/** What identifies a consumer, and whose it is. */
export interface Credentials {
  readonly owners: Map<string, string>;
}

export function toConsumer(
  draft: Draft,
  raw: RawConsumer,
  path: ConfigPath,
  credentials: Credentials,
): ConsumerConfig {
  const claim = (credential: string, what: string, place: ConfigPath): void => {
    const owner = credentials.owners.get(credential);
    if (owner !== undefined) {
      const whose =
        owner === raw.name ? 'this consumer already' : `the consumer ${JSON.stringify(owner)}`;
      draft.report(place, `the ${what} belongs to ${whose}`, {
        hint: 'a caller must be known as one consumer',
      });
    }
    credentials.owners.set(credential, raw.name);
  };
  const apiKeyHashes = mapPresent(raw.apiKeys, [...path, 'apiKeys'], ({ hash }, place) => {
    const digits = hash.slice('sha256:'.length).toLowerCase();
    claim(digits, 'API key', [...place, 'hash']);
    return digits;
  });
  if (raw.jwt !== undefined) {
    claim(JSON.stringify([raw.jwt.issuer, raw.jwt.subject]), 'token subject', [...path, 'jwt']);
  }
  return {
    name: raw.name,
    groups: [...new Set(raw.groups)],
    apiKeyHashes,
    jwt: raw.jwt === undefined ? undefined : { issuer: raw.jwt.issuer, subject: raw.jwt.subject },
  };
}
