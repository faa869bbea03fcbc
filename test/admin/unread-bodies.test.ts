/** Requests that are refused before they are read, or that never become any: the answer arrives all the same. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { json, text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startAdmin, stopAdminsAfterEach, type TestAdmin } from './admin-fixture.ts';

stopAdminsAfterEach();

const LARGE = 'a'.repeat(4 * 1024 * 1024);

describe('a body that is not read', () => {
  it.each([
    ['too long', {}, 413, 'payload_too_large'],
    ['of a stranger', { authorization: '' }, 401, 'unauthenticated'],
    ['of no known type', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
  ])('%s: the client gets the answer, also where it closes', async (_, fields, status, code) => {
    const { url, token } = await startAdmin();
    for (const connection of ['close', 'keep-alive']) {
      const answer = await ask(`${url}/v1/tokens`, {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        connection,
        ...fields,
      });
      expect(answer).toEqual([status, code]);
    }
  });

  it('is not waited for where it does not come', async () => {
    const waits: number[] = [];
    const { port, token } = await startAdmin({
      schedule(delayMs, task) {
        // The time for bodies alone.
        if (delayMs !== 2_000) return () => undefined;
        waits.push(delayMs);
        setImmediate(task);
        return () => undefined;
      },
    });
    const sent = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/tokens',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'content-length': '100000',
      },
    });
    onTestFinished(() => void sent.destroy());
    sent.flushHeaders();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect([response.statusCode, waits]).toEqual([413, [2_000]]);
  });
});

describe('bytes that are no request', () => {
  it.each([
    ['malformed', 'NONSENSE\r\n\r\n', 400, 'bad_request'],
    ['a head that is too large', head('a'.repeat(20_000)), 431, 'headers_too_large'],
  ])('%s: problem+json', async (_, bytes, status, code) => {
    const admin = await startAdmin();
    const [answerHead, body] = (await sendRaw(admin, bytes)).split('\r\n\r\n') as [string, string];
    expect(answerHead).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answerHead).toContain('content-type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, code, source: 'admin' });
  });
});

function head(value: string): string {
  return `GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: ${value}\r\n\r\n`;
}

async function sendRaw({ port }: TestAdmin, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(bytes);
  return text(socket);
}

/** Status and code. */
async function ask(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<readonly [number, string]> {
  const sent = request(url, { method: 'POST', headers, agent: false });
  const responded = once(sent, 'response');
  sent.end(LARGE);
  const [response] = (await responded) as [IncomingMessage];
  const { code } = (await json(response)) as { readonly code: string };
  return [response.statusCode!, code];
}
