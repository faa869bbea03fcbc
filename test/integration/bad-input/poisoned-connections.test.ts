/** Bytes that no request asked for, on an upstream's connection, never become the answer to another one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, get, knock } from './doors.ts';
import { OK, startScriptedGateway, type ScriptedGateway } from './scripted-gateway.ts';
import type { Script } from './scripted-upstream.ts';

const POISON = `${OK}Content-Length: 8\r\n\r\npoisoned`;

let scripted: ScriptedGateway;

beforeAll(async () => {
  scripted = await startScriptedGateway();
});
afterAll(() => scripted?.stop());

/** Bytes that belong to no answer, sent right behind one or while the connection rests. */
const poisons: readonly (readonly [name: string, script: Script])[] = [
  [
    'behind an answer with a length',
    (socket) => socket.write(`${OK}Content-Length: 2\r\n\r\nok${POISON}`),
  ],
  [
    'behind an answer in chunks',
    (socket) =>
      socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${POISON}`),
  ],
  [
    'behind an answer without a body',
    (socket) => socket.write(`HTTP/1.1 204 No Content\r\n\r\n${POISON}`),
  ],
  [
    'as the body of 304',
    (socket) =>
      socket.write(
        `HTTP/1.1 304 Not Modified\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
      ),
  ],
  [
    'as line ends that belong to nothing',
    (socket) => socket.write(`${OK}Content-Length: 2\r\n\r\nok\r\n\r\n`),
  ],
  [
    'on the connection at rest',
    (socket) => {
      socket.write(`${OK}Content-Length: 2\r\n\r\nok`);
      // Not before the answer has been taken and the connection put to rest.
      atRest.then(() => socket.write(POISON)).catch(() => undefined);
    },
  ],
  [
    'as a leave-taking on the connection at rest',
    (socket) => {
      socket.write(`${OK}Content-Length: 2\r\n\r\nok`);
      atRest
        .then(() =>
          socket.end(
            'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
          ),
        )
        .catch(() => undefined);
    },
  ],
];
let atRest: Promise<void>;

describe('an answer that nobody asked for (CVE-2026-48931)', () => {
  it.for(poisons)('never becomes the next one: %s', async ([, script]) => {
    const rest = Promise.withResolvers<void>();
    atRest = rest.promise;
    const closed = scripted.play(script);
    const answer = await ask(scripted.gateway, get('/first'));
    expect([200, 204, 304]).toContain(answer.status);
    expect(answer.body).not.toContain('poisoned');
    rest.resolve();
    await closed;
    await scripted.expectHealthyNext();
  });

  it.for([...Array.from({ length: 10 }).keys()])(
    'nor when the next request is on its way already (%i)',
    async () => {
      void scripted.play((socket, target) => {
        socket.write(`${OK}Content-Length: ${target.length}\r\n\r\n${target}${POISON}`);
      });
      const client = await knock(scripted.gateway);
      client.send(
        'GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      );
      const text = await client.untilEnd();
      expect(text).not.toContain('poisoned');
      expect(text.split(/HTTP\/1\.1 \d/)).toHaveLength(3);
      expect(text).toContain('\r\n\r\n/one');
      expect(text).toContain('\r\n\r\n/two');
    },
  );

  it('nor does the body of an answer to HEAD', async () => {
    const closed = scripted.play((socket) =>
      socket.write(`${OK}Content-Length: ${POISON.length}\r\n\r\n${POISON}`),
    );
    const client = await knock(scripted.gateway);
    const text = await client
      .send('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      .untilEnd();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).not.toContain('poisoned');
    await closed;
    await scripted.expectHealthyNext();
  });
});
