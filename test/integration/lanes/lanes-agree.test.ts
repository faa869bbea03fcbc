/** The wire lane and the full lane make the same of the same bytes: answers, their order, the end of the connection, and what is forwarded. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOORS } from '../bad-input/doors.ts';
import { badChunks, malformed } from '../bad-input/malformed-http1.ts';
import { startLanePair, type LanePair } from './lane-pair.ts';
import { CLOSING, requests } from './lane-requests.ts';

let pair: LanePair;

beforeAll(async () => {
  pair = await startLanePair();
});
afterAll(() => pair?.stop());

const chunkedHead =
  'POST /cut HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n';

const corpus: readonly (readonly [name: string, bytes: string])[] = [
  ...Object.entries(requests),
  ...malformed.map(({ name, bytes }) => [name, bytes] as const),
  ...badChunks.map(([name, bytes]) => [name, chunkedHead + bytes] as const),
];

/** Where they do not, and why. */
const differing: ReadonlyMap<string, string> = new Map([
  [
    'chunks with a trailer that says close',
    'node heeds it, as if it stood in the head, and refuses what follows; a trailer says nothing of the connection (RFC 9110 §6.5.1)',
  ],
  [
    'a WebSocket behind a request that is not answered yet',
    'node cannot switch with an answer due, so the full lane serves it as a plain request; the wire lane hands it over when its turn has come',
  ],
]);

const agreed = corpus.filter(([name]) => !differing.has(name));

describe.each(DOORS)('by the %s door', (door) => {
  it.for(agreed)('agree on %s', async ([, bytes]) => {
    const { auto, full } = await pair.compare([bytes + CLOSING], door);
    expect(auto).toEqual(full);
  });
});

describe('when it comes in pieces', () => {
  it.for(agreed.filter(([, bytes]) => bytes.length < 400))('agree on %s', async ([, bytes]) => {
    const whole = bytes + CLOSING;
    const { auto, full } = await pair.compare(whole.match(/[^]{1,11}/g)!);
    expect(auto).toEqual(full);
  });
});

it.for([...differing])('differ on %s: %s', async ([name]) => {
  const [, bytes] = corpus.find(([each]) => each === name)!;
  const { auto, full } = await pair.compare([bytes + CLOSING]);
  expect(auto).not.toEqual(full);
});
