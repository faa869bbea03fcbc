/** Consumers: who calls, and what they are known by. */
import type { ConsumerConfig } from '../config.ts';
import type { ConfigPath } from '../config-path.ts';
import type { ConsumerFacts, Credential } from '../entry-record.ts';
import type { RawConsumer } from '../schema/consumer.ts';
import { mapPresent, type Draft } from './draft.ts';

export function toConsumer(raw: RawConsumer): {
  readonly item: ConsumerConfig;
  readonly facts: ConsumerFacts;
} {
  const { name, jwt } = raw;
  const credentials: Credential[] = [];
  const apiKeyHashes = mapPresent(raw.apiKeys, ['apiKeys'], ({ hash }, place) => {
    const digits = hash.slice('sha256:'.length).toLowerCase();
    credentials.push({ key: digits, what: 'API key', place: [...place, 'hash'] });
    return digits;
  });
  if (jwt !== undefined) {
    const key = JSON.stringify([jwt.issuer, jwt.subject]);
    credentials.push({ key, what: 'token subject', place: ['jwt'] });
  }
  const groups = [...new Set(raw.groups)];
  const own = jwt === undefined ? undefined : { issuer: jwt.issuer, subject: jwt.subject };
  return {
    item: { name, groups, apiKeyHashes, jwt: own },
    facts: { name, groups, credentials },
  };
}

/** `owners`: of credentials, which consumer has them so far. */
export function checkCredentials(
  draft: Draft,
  { name, credentials }: ConsumerFacts,
  path: ConfigPath,
  owners: Map<string, string>,
): void {
  for (const { key, what, place } of credentials) {
    const owner = owners.get(key);
    if (owner !== undefined) {
      const whose =
        owner === name ? 'this consumer already' : `the consumer ${JSON.stringify(owner)}`;
      draft.report([...path, ...place], `the ${what} belongs to ${whose}`, {
        hint: 'a caller must be known as one consumer',
      });
    }
    owners.set(key, name);
  }
}
