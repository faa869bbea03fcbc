/** HTTP/1 requests as they reach the door, over real sockets. */
import { describe, expect, it } from 'vitest';
import { openListener } from '../../listener/open-listener.ts';
import { readBody } from '../fake-door.ts';
import { connectRaw, exchange, parseAnswer } from '../raw-client.ts';

describe('an HTTP/1 request', () => {
  it('reaches the door as received, its Host apart', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    const echoed = await exchange(
      client,
      'GET /a//b/../%2e?q=1&q=2 HTTP/1.1\r\nX-One: 1\r\nHost: Example.COM:8080\r\nx-one: 2\r\nX-Utf: \xe9\r\n\r\n',
    );
    expect(echoed).toMatchObject({
      method: 'GET',
      target: '/a//b/../%2e?q=1&q=2',
      authority: 'Example.COM:8080',
      headers: ['X-One', '1', 'x-one', '2', 'X-Utf', '\xe9'],
      body: '',
    });
    const [intake] = door.served;
    expect(intake!.body).toBeUndefined();
    expect(intake!.upgrade).toBeUndefined();
    expect(intake!.connection).toMatchObject({
      address: '127.0.0.1',
      port: client.socket.localPort,
      protocol: 'http/1.1',
      trusted: false,
      tls: undefined,
    });
    expect(intake!.connection.listener).toMatchObject({ name: 'test', port, scheme: 'http' });
  });

  it.for([
    ['OPTIONS *', 'OPTIONS * HTTP/1.1', '*'],
    [
      'an absolute-form target',
      'GET http://other.example/x?y HTTP/1.1',
      'http://other.example/x?y',
    ],
    ['an https target', 'GET https://other.example HTTP/1.1', 'https://other.example'],
    ['a path that cannot be decoded', 'GET /%zz%ff HTTP/1.1', '/%zz%ff'],
    ['a fragment', 'GET /a#b HTTP/1.1', '/a#b'],
    ['a path of dots and semicolons', 'GET /..;/a;b=c/%00 HTTP/1.1', '/..;/a;b=c/%00'],
    ['PURGE', 'PURGE /x HTTP/1.1', '/x'],
    ['PROPFIND', 'PROPFIND /x HTTP/1.1', '/x'],
    ['QUERY', 'QUERY /x HTTP/1.1', '/x'],
    ['M-SEARCH', 'M-SEARCH /x HTTP/1.1', '/x'],
  ] as const)('passes %s through unjudged', async ([, line, target]) => {
    const { port } = await openListener();
    const echoed = await exchange(await connectRaw(port), `${line}\r\nHost: a\r\n\r\n`);
    expect(echoed.target).toBe(target);
    expect(echoed.method).toBe(line.slice(0, line.indexOf(' ')));
  });

  it('is not subject to the framework: bad content types, versions and long parameters', async () => {
    const { port } = await openListener();
    const client = await connectRaw(port);
    const echoed = await exchange(
      client,
      `POST /${'p'.repeat(5000)} HTTP/1.1\r\nHost: a\r\nContent-Type: ;;;\r\nAccept-Version: 9\r\nContent-Length: 2\r\n\r\n{x`,
    );
    expect(echoed).toMatchObject({ body: '{x', target: `/${'p'.repeat(5000)}` });
    expect(echoed.headers).toContain('Accept-Version');
  });

  it('without a Host is served on HTTP/1.0', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    client.send('GET / HTTP/1.0\r\n\r\n');
    const answer = parseAnswer(await client.untilEnd());
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ authority: '' });
    expect(door.served[0]!.connection.protocol).toBe('http/1.0');
  });

  it('brings its body and trailers', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    const sized = await exchange(
      client,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    );
    expect(sized.body).toBe('hello');
    expect(door.served[0]!.body!.length).toBe(5);
    const chunked = await exchange(
      client,
      'POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
    expect(chunked).toMatchObject({ body: 'abcde', trailers: ['X-Sum', '1'] });
    expect(door.served[1]!.body!.length).toBeUndefined();
    const empty = await exchange(client, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    expect(empty.body).toBe('');
    expect(door.served[2]!.body).toBeUndefined();
  });
});

describe('100 Continue', () => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n';

  it('is sent when the body is started, not before', async () => {
    const { port, door } = await openListener();
    let start: (() => void) | undefined;
    door.handler = (intake, downstream) => {
      start = () =>
        readBody(intake, (body) => downstream.answer(200, [], `got ${body.toString()}`));
    };
    const client = await connectRaw(port);
    client.send(head);
    await door.until(({ served }) => served.length === 1);
    expect(door.served[0]!.expectContinue).toBe(true);
    expect(client.text).toBe('');
    start!();
    await client.untilText('100 Continue\r\n\r\n');
    await client.send('hi').untilText('got hi');
  });

  it('is not sent, and the connection closed, when the answer does not want the body', async () => {
    const { port, door } = await openListener();
    door.handler = (_intake, downstream) => downstream.answer(401, [], undefined);
    const client = await connectRaw(port);
    const text = await client.send(head).untilEnd();
    expect(text).toMatch(/^HTTP\/1.1 401 /);
    expect(text).toContain('Connection: close');
  });

  it('is not waited for by HTTP/1.0', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    client.send(`${head.replace('HTTP/1.1', 'HTTP/1.0')}hi`);
    const text = await client.untilEnd();
    expect(text).not.toContain('100 Continue');
    expect(parseAnswer(text).body).toContain('"body":"hi"');
    expect(door.served[0]!.expectContinue).toBe(false);
  });
});
