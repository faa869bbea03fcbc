/** Large bodies side by side: memory that is used again must never show one caller what is another's. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { request as requestTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';

const CALLERS = 24;
const ROUNDS = 4;

let origin: Server;
let gateway: TestGateway;

/** Every octet of it says whose it is. */
const bodyOf = (caller: number, size: number): Buffer => Buffer.alloc(size, caller + 1);

beforeAll(async () => {
  origin = createServer((incoming, outgoing) => {
    const query = new URL(incoming.url!, 'http://origin').searchParams;
    const body = bodyOf(Number(query.get('caller')), Number(query.get('size')));
    switch (query.get('framing')) {
      case 'length':
        outgoing.setHeader('Content-Length', body.length);
        outgoing.end(body);
        return;
      case 'close':
        outgoing.setHeader('Connection', 'close');
        outgoing.useChunkedEncodingByDefault = false;
        outgoing.end(body);
        return;
      default:
        // In pieces that come several to a read, and one in several reads.
        for (let at = 0, size = 1000; at < body.length; at += size, size = (size * 7) % 90_001) {
          outgoing.write(body.subarray(at, at + size));
        }
        outgoing.end();
    }
  }).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const { port } = origin.address() as AddressInfo;
  gateway = await startGateway({
    services: { origin: { endpoints: [{ address: `127.0.0.1:${port}` }] } },
    routes: [{ name: 'all', to: 'origin' }],
  });
});

afterAll(async () => {
  await gateway?.stop();
  origin?.close();
});

async function call(url: string): Promise<IncomingMessage> {
  const open = url.startsWith('https:') ? requestTls : request;
  const outgoing = open(url, { agent: false, rejectUnauthorized: false }).end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answer;
}

describe.each(['http', 'https'])('answers over %s', (scheme) => {
  const urlOf = (query: string): string =>
    `${scheme}://localhost:${scheme === 'http' ? gateway.httpPort : gateway.httpsPort}/?${query}`;

  it.each(['length', 'chunked', 'close'])(
    'are each for who asked, framed by %s, read at once or slowly, or left',
    async (framing) => {
      const callers = Array.from({ length: CALLERS }, async (_, caller) => {
        for (let round = 0; round < ROUNDS; round++) {
          const size = 10_000 + ((caller * 7919 + round * 104_729) % 900_000);
          const answer = await call(urlOf(`caller=${caller}&size=${size}&framing=${framing}`));
          expect(answer.statusCode).toBe(200);
          const sum = createHash('sha256');
          let bytes = 0;
          for await (const piece of answer) {
            sum.update(piece as Buffer);
            bytes += (piece as Buffer).length;
            if (caller % 3 === 1) await turn();
            // Leaves in the middle, so that what was on its way to it is dropped.
            if (caller % 4 === 3 && bytes > size / 2) break;
          }
          if (caller % 4 === 3) continue;
          expect(bytes).toBe(size);
          expect(sum.digest('hex')).toBe(
            createHash('sha256').update(bodyOf(caller, size)).digest('hex'),
          );
        }
      });
      await Promise.all(callers);
    },
  );
});
