import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isJudged, receiveFields } from '../../../src/gateway/exchange/received-fields.ts';
import { NameSet } from '../../../src/mesh/transport/name-set.ts';

function judged(name: string): boolean {
  const bytes = Buffer.from(name, 'latin1');
  let hash = NameSet.SEED;
  for (const octet of bytes) hash = NameSet.hash(hash, octet);
  return isJudged(hash, bytes, 0);
}

/** Some of those that end at a hop, or that say who the client is. */
const SAID_BY_OTHERS = [
  'connection',
  'keep-alive',
  'proxy-authorization',
  'transfer-encoding',
  'content-length',
  'http2-settings',
  'te',
  'via',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-client-cert',
  'x-real-ip',
  'x-request-id',
  'traceparent',
  'tracestate',
  'true-client-ip',
  'cf-connecting-ip',
  'x-meshgate-',
  'x-meshgate-node',
];

/** A name as some client may spell it. */
const NAME = fc
  .tuple(
    fc.oneof(fc.constantFrom(...SAID_BY_OTHERS), fc.stringMatching(/^[a-z_-]{1,16}$/)),
    fc.infiniteStream(fc.constantFrom('', '', 'upper', 'under')),
  )
  .map(([name, spelling]) =>
    Array.from(name, (letter) => {
      const how = spelling.next().value;
      if (how === 'under' && letter === '-') return '_';
      return how === 'upper' ? letter.toUpperCase() : letter;
    }).join(''),
  );

it('keeps, whoever the client is, every field that is not judged', () => {
  let kept = 0;
  fc.assert(
    fc.property(NAME, fc.boolean(), fc.boolean(), (name, trusted, isWithinMesh) => {
      if (judged(name)) return;
      kept++;
      const fields = [name, 'a value'];
      receiveFields(fields, trusted, isWithinMesh);
      expect(fields).toEqual([name, 'a value']);
    }),
    { numRuns: 5000 },
  );
  // Else it would have shown nothing.
  expect(kept).toBeGreaterThan(1000);
});

it('sees what anybody prefers, and passes it on', () => {
  const raw = ['Prefer', 'wait=5', 'Accept', '*/*', 'prefer', 'server-timing'];
  const kept = raw.slice();
  expect(receiveFields(kept, false).prefer).toBe('wait=5, server-timing');
  expect(kept).toEqual(raw);
  // Else a lane would pass it on unseen.
  expect(judged('PREFER')).toBe(true);
  expect(receiveFields(['Accept', '*/*'], false).prefer).toBeUndefined();
});
