/** Limits of HTTP/1 requests and connections. */
import { describe, expect, it } from 'vitest';
import { openListener } from '../../listener/open-listener.ts';
import { connectRaw, exchange, parseAnswer } from '../raw-client.ts';

describe('limits of an HTTP/1 request', () => {
  it('takes 100 fields and refuses 101 with 431', async () => {
    const { port, door } = await openListener();
    const fields = (count: number): string =>
      `Host: a\r\n${Array.from({ length: count - 1 }, (_, i) => `X-${i}: y\r\n`).join('')}`;
    const client = await connectRaw(port);
    const echoed = await exchange(client, `GET / HTTP/1.1\r\n${fields(100)}\r\n`);
    expect(echoed.headers).toHaveLength(198);
    client.send(`GET / HTTP/1.1\r\n${fields(101)}\r\n`);
    await client.untilText('HTTP/1.1 431');
    await client.untilEnd();
    expect(door.served).toHaveLength(1);
  });

  it('refuses thousands of fields with 431, whatever the parser keeps of them', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(5000)}Content-Length: 0\r\n\r\n`);
    expect(parseAnswer(await client.untilEnd()).status).toBe(431);
    expect(door.served).toEqual([]);
  });

  it('takes as many fields as the listener allows, though the parser stops at 2,000 by default', async () => {
    const { port } = await openListener({ limits: { maxHeaderFields: 3000 } });
    const client = await connectRaw(port);
    const many = 'a:\r\n'.repeat(2500);
    const echoed = await exchange(client, `GET / HTTP/1.1\r\nHost: a\r\n${many}X-Last: 1\r\n\r\n`);
    expect(echoed.headers).toHaveLength(5002);
    expect(echoed.headers.slice(-2)).toEqual(['X-Last', '1']);
  });

  it.for([
    ['one field of 33 KiB', 33 * 1024],
    ['one field of 1 MiB', 1024 * 1024],
  ] as const)('refuses %s with 431', async ([, bytes]) => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y '.repeat(bytes / 2)}\r\n\r\n`);
    const answer = parseAnswer(await client.untilEnd());
    expect(answer.status).toBe(431);
    expect(answer.body).toContain('headers_too_large');
    expect(door.served).toEqual([]);
  });

  it('takes a target of 8 KiB and refuses a longer one with 414', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    const echoed = await exchange(client, `GET /${'x'.repeat(8191)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(echoed.target).toHaveLength(8192);
    client.send(`GET /${'x'.repeat(8192)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.untilText('HTTP/1.1 414');
    await client.untilEnd();
    expect(client.text).toContain('uri_too_long');
    const other = await connectRaw(port);
    other.send(`GET /${'x'.repeat(1024 * 1024)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(parseAnswer(await other.untilEnd()).status).toBe(414);
    expect(door.served).toHaveLength(1);
  });

  it('answers 408 to a head that does not come in time', async () => {
    const { port, door } = await openListener({ limits: { headerTimeoutMs: 200 } });
    const client = await connectRaw(port);
    const answer = parseAnswer(await client.send('GET / HTTP/1.1\r\nHost: a\r\n').untilEnd());
    expect(answer.status).toBe(408);
    expect(answer.body).toContain('request_timeout');
    expect(door.refused).toHaveLength(1);
  });

  it('closes a connection that says nothing', async () => {
    const { port, door } = await openListener({ limits: { headerTimeoutMs: 200 } });
    const client = await connectRaw(port);
    expect(await client.untilClosed()).toBe('');
    expect(door.refused).toEqual([]);
  });

  it('closes an idle connection after the idle time', async () => {
    const { port } = await openListener({ limits: { idleTimeoutMs: 200 } });
    const client = await connectRaw(port);
    await exchange(client, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.untilClosed();
    expect(client.error).toBeUndefined();
  });

  it('ends a connection with the last request it may carry', async () => {
    const { port, door } = await openListener({ limits: { maxRequestsPerConnection: 2 } });
    const client = await connectRaw(port);
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    const text = await client.untilEnd();
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(2);
    expect(text.match(/Connection: close/g)).toHaveLength(1);
    expect(door.served).toHaveLength(2);
  });
});
