/** Fields that end at a hop end there, both ways; and no client can name away what the gateway adds. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority } from '../../mesh/transport/http1-test-certificates.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, fieldOf, get, knock } from './doors.ts';
import { startRecordingUpstream, type RecordingUpstream } from './recording-upstream.ts';

let upstream: RecordingUpstream;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'one' };
  token = await new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setIssuer('https://id.example.com')
    .setExpirationTime('1h')
    .sign(privateKey);
  gateway = await startGateway({
    services: { recorder: { endpoints: [{ address: upstream.address }] } },
    routes: [
      {
        name: 'identified',
        match: { path: '/identified' },
        to: 'recorder',
        plugins: [
          {
            jwt: {
              issuer: 'https://id.example.com',
              jwks: { keys: [jwk] },
              claimsToHeaders: { sub: 'X-User-Id' },
            },
          },
          {
            headers: {
              request: { set: { 'X-Env': 'production' }, add: { 'X-Tag': ['edge'] } },
              response: { set: { 'X-Frame-Options': 'DENY' } },
            },
          },
        ],
      },
      { name: 'all', to: 'recorder' },
    ],
  });
});
beforeEach(() => upstream.forget());
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

function identified(...lines: readonly string[]): string {
  return [
    'GET /identified HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    ...lines,
    '',
    '',
  ].join('\r\n');
}

describe('Connection of a request', () => {
  it.for([
    'Connection: close, x-user-id, x-env, x-tag',
    'Connection: X-User-Id\r\nConnection: X-Env\r\nConnection: close, X-Tag',
    'connection: CLOSE,x-user-id,,X-ENV ,\tx-tag',
    'Connection: close, X-User-Id, X-Env, X-Tag\r\nX-User-Id: mallory\r\nX-Env: test\r\nX-Tag: mine',
  ])('cannot strip what plugins add (CVE-2026-33805): %j', async (lines) => {
    expect((await ask(gateway, identified(lines))).status).toBe(200);
    const [request] = upstream.requests;
    expect(request!.valuesOf('x-user-id')).toEqual(['alice']);
    expect(request!.valuesOf('x-env')).toEqual(['production']);
    expect(request!.valuesOf('x-tag')).toEqual(['edge']);
    expect(request!.valuesOf('connection')).toEqual([]);
  });

  it('cannot strip what the gateway says of the client', async () => {
    const ours = [
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
      'x-request-id',
      'traceparent',
      'via',
      'host',
    ];
    await ask(gateway, get('/', `Connection: ${ours.join(', ')}, content-length`));
    for (const name of ours) expect(upstream.requests[0]!.valuesOf(name)).toHaveLength(1);
  });

  it('cannot strip the proof of who is asking and be let in', async () => {
    const { status } = await ask(gateway, identified('Connection: close, Authorization'));
    expect(status).toBe(401);
    expect(upstream.requests).toEqual([]);
  });

  it('takes away what it names of the client', async () => {
    await ask(
      gateway,
      get('/', 'Connection: x-mine, X-Other', 'X-Mine: 1', 'x-mine: 2', 'X-OTHER: 3', 'X-Third: 4'),
    );
    const [request] = upstream.requests;
    expect(request!.valuesOf('x-mine')).toEqual([]);
    expect(request!.valuesOf('x-other')).toEqual([]);
    expect(request!.valuesOf('x-third')).toEqual(['4']);
  });
});

describe('hop-by-hop fields', () => {
  it.for([
    ['keep-alive', 'Keep-Alive: timeout=5'],
    ['proxy-connection', 'Proxy-Connection: keep-alive'],
    ['proxy-authorization', 'Proxy-Authorization: Basic c2VjcmV0'],
    ['te', 'TE: trailers, deflate'],
    ['trailer', 'Trailer: X-Checksum'],
    ['upgrade', 'Upgrade: h2c'],
    ['http2-settings', 'HTTP2-Settings: AAMAAABk'],
  ] as const)('of a request end at the gateway: %s', async ([name, line]) => {
    await ask(gateway, get('/', line));
    expect(upstream.requests[0]!.valuesOf(name)).toEqual([]);
    expect(upstream.requests[0]!.valuesOf(name.replaceAll('-', '_'))).toEqual([]);
  });

  it('of an answer end at the gateway, with those that its Connection names', async () => {
    upstream.answering = (_request, response) => {
      response.socket!.end(
        [
          'HTTP/1.1 200 OK',
          'Connection: close, X-Internal',
          'Keep-Alive: timeout=1, max=2',
          'Proxy-Connection: keep-alive',
          'X-Internal: secret',
          'X-Public: yes',
          'Content-Length: 2',
          '',
          'ok',
        ].join('\r\n'),
      );
    };
    const client = await knock(gateway);
    await client.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n').untilText('\r\n\r\nok');
    expect(fieldOf(client.text, 'x-internal')).toBeUndefined();
    expect(fieldOf(client.text, 'proxy-connection')).toBeUndefined();
    expect(fieldOf(client.text, 'x-public')).toBe('yes');
    // The upstream's leave-taking is not the gateway's.
    expect(fieldOf(client.text, 'connection')).toBe('keep-alive');
    expect(fieldOf(client.text, 'keep-alive')).not.toContain('max=2');
  });

  it("of an answer cannot name away the gateway's own", async () => {
    upstream.answering = (_request, response) => {
      response.socket!.end(
        'HTTP/1.1 200 OK\r\nConnection: close, X-Frame-Options, Date\r\nContent-Length: 2\r\n\r\nok',
      );
    };
    const { head } = await ask(gateway, identified('Connection: close'));
    expect(fieldOf(head, 'x-frame-options')).toBe('DENY');
    expect(fieldOf(head, 'date')).toBeDefined();
  });

  it('of an HTTP/1.1 answer never reach HTTP/2', async () => {
    upstream.answering = (_request, response) => {
      response.socket!.end(
        'HTTP/1.1 200 OK\r\nConnection: close, X-Internal\r\nKeep-Alive: timeout=1\r\nX-Internal: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      );
    };
    const session = connect(`http://127.0.0.1:${gateway.httpPort}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':path': '/', ':authority': 'localhost' });
    const [fields] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(fields[':status']).toBe(200);
    for (const name of ['connection', 'keep-alive', 'transfer-encoding', 'x-internal']) {
      expect(fields).not.toHaveProperty(name);
    }
    await once(stream.resume(), 'close');
  });
});

describe('a field that is called __proto__ (CVE-2026-21710)', () => {
  const lines = [
    '__proto__: polluted',
    '__PROTO__: polluted',
    'constructor: polluted',
    'toString: x',
    'hasOwnProperty: x',
  ];

  it('is a field like any other, over HTTP/1.1', async () => {
    expect((await ask(gateway, get('/', ...lines))).status).toBe(200);
    expect(upstream.requests[0]!.valuesOf('__proto__')).toEqual(['polluted', 'polluted']);
    expect(upstream.requests[0]!.valuesOf('constructor')).toEqual(['polluted']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('is one in trailers, and passes a plugin that reads all fields', async () => {
    const client = await knock(gateway);
    client.send(
      `POST /identified HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n__proto__: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n__proto__: 2\r\n\r\n`,
    );
    expect((await client.untilEnd()).slice(9, 12)).toBe('200');
    expect(upstream.requests[0]!.body).toBe('a');
  });

  it('is one in an answer, its trailers and its interim answers, over both protocols', async () => {
    upstream.answering = (_request, response) => {
      response.socket!.end(
        'HTTP/1.1 103 Early Hints\r\n__proto__: hint\r\n\r\n' +
          'HTTP/1.1 200 OK\r\n__proto__: polluted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n__proto__: trailer\r\n\r\n',
      );
    };
    const answer = await ask(gateway, get('/'));
    expect(answer.head + answer.body).toContain('__proto__: polluted');
    const session = connect(`http://127.0.0.1:${gateway.httpPort}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':path': '/', ':authority': 'localhost' });
    let body = '';
    stream.setEncoding('utf8').on('data', (text: string) => (body += text));
    await once(stream, 'close');
    expect(body).toBe('ok');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    // The gateway lives.
    upstream.forget();
    expect((await ask(gateway, get('/'))).status).toBe(200);
  });
});

describe('the name in SNI (CVE-2026-48928)', () => {
  it.for([
    'one.example.com',
    'ONE.EXAMPLE.COM',
    'One.Example.Com',
    'x.wild.example.com',
    'X.WILD.Example.com',
  ])('chooses the certificate without regard to case: %s', async (servername) => {
    const directory = await mkdtemp(join(tmpdir(), 'meshgate-sni-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const authority = await createAuthority();
    const certificates = await Promise.all(
      [['other.example.com'], ['one.example.com'], ['*.wild.example.com']].map(async (dns, i) => {
        const { cert, key } = await authority.issue({ dns });
        const files = { cert: join(directory, `${i}.pem`), key: join(directory, `${i}.key`) };
        await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
        return files;
      }),
    );
    const secured = await startGateway({
      listeners: [
        { name: 'https', address: '127.0.0.1:0', protocol: 'https', tls: { certificates } },
      ],
      routes: [{ name: 'hello', respond: { status: 200, body: 'hi' } }],
    });
    onTestFinished(() => secured.stop());
    const socket = connectTls({
      port: secured.httpsPort,
      host: '127.0.0.1',
      servername,
      ca: authority.cert,
    });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    expect(socket.getPeerCertificate().subjectaltname).toContain(
      servername.toLowerCase().replace(/^x\./, '*.'),
    );
  });
});
