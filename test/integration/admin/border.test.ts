/** No public door leads to the admin API, whatever a request says it is for. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../../redis/free-port.ts';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';
import { listen } from '../protocols/origins.ts';

const PATHS = [
  '/v1/status',
  '/v1/config',
  '/v1/tokens',
  '/openapi.json',
  '/ui/',
  '/x/../v1/status',
];

interface Place {
  readonly gateway: TestGateway;
  readonly adminPort: number;
  readonly token: string;
  /** Ports that connections to the admin API came in by, of whoever made them. */
  readonly visits: readonly number[];
}

async function start(config: (ports: { echo: number; admin: number }) => object): Promise<Place> {
  const origin = await listen(
    createServer((request, response) => {
      request
        .resume()
        .once('end', () => response.end(`echo ${request.headers.host} ${request.url}`));
    }),
  );
  onTestFinished(() => origin.close());
  const [adminPort] = (await freePorts(1)) as [number];
  const visits: number[] = [];
  const note = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort === adminPort) visits.push(socket.remotePort!);
  };
  subscribe('net.server.socket', note);
  onTestFinished(() => void unsubscribe('net.server.socket', note));
  const gateway = await startGateway({
    admin: { address: `127.0.0.1:${adminPort}` },
    ...config({ echo: origin.port, admin: adminPort }),
  });
  onTestFinished(() => gateway.stop());
  const token = await readFile(join(gateway.directory, '.meshgate/admin-token'), 'utf8');
  return { gateway, adminPort, token: token.trim(), visits };
}

/** Names of the admin API in a Host field. */
function hostsOf(port: number): string[] {
  return ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0'].flatMap((host) => [
    host,
    `${host}:${port}`,
  ]);
}

async function sendRaw(socket: Socket, lines: readonly string[]): Promise<string> {
  onTestFinished(() => void socket.destroy());
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return text(socket);
}

const sendTo = (port: number, lines: readonly string[]): Promise<string> =>
  sendRaw(createConnection(port, '127.0.0.1'), lines);

async function sendOverTls(port: number, lines: readonly string[]): Promise<string> {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  return sendRaw(socket, lines);
}

async function askHttp2(
  session: ClientHttp2Session,
  fields: Readonly<Record<string, string>>,
): Promise<string> {
  const stream = session.request(fields);
  const heads = once(stream, 'response');
  const body = await text(stream);
  return `${JSON.stringify((await heads)[0])} ${body}`;
}

/** With all that could be taken for a right to be there. */
function rightsOf({ token, adminPort }: Place): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    'x-forwarded-host': `127.0.0.1:${adminPort}`,
    'x-forwarded-for': '127.0.0.1',
    forwarded: `host="127.0.0.1:${adminPort}"`,
  };
}

/** Requests of HTTP/1.1: by Host, by absolute form, as a tunnel, and as another protocol. */
function requestsFor(place: Place): readonly (readonly string[])[] {
  const { adminPort } = place;
  const rights = Object.entries(rightsOf(place)).map(([name, value]) => `${name}: ${value}`);
  const get = (target: string, host: string): string[] => [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...rights,
  ];
  const own = `127.0.0.1:${adminPort}`;
  return [
    ...hostsOf(adminPort).flatMap((host) => PATHS.map((path) => get(path, host))),
    ...hostsOf(adminPort).flatMap((host) => [
      get(`http://${host}/v1/status`, host),
      get(`http://${host}/v1/status`, 'localhost'),
    ]),
    get(`http://x@${own}/v1/status`, own),
    get(`http://${own}`, own),
    [`CONNECT ${own} HTTP/1.1`, `Host: ${own}`, ...rights],
    [
      `GET /v1/tap HTTP/1.1`,
      `Host: ${own}`,
      'Connection: Upgrade, close',
      'Upgrade: h2c',
      ...rights,
    ],
    [
      `PUT /v1/config HTTP/1.1`,
      `Host: ${own}`,
      'Content-Length: 0',
      'Connection: close',
      ...rights,
    ],
    [`OPTIONS * HTTP/1.1`, `Host: ${own}`, 'Connection: close', ...rights],
  ];
}

/** Of the gateway itself, or of the application behind it. */
function expectOurs(answer: string, request: unknown): void {
  const isOurs = answer.includes('"source":"gateway"') || answer.includes('echo ');
  // A connection that was not even answered led nowhere either.
  expect([request, isOurs || answer === '' ? 'ours' : answer]).toEqual([request, 'ours']);
}

it.each([
  ['no route', []],
  ['a route for everything', [{ name: 'all', to: 'echo' }]],
])(
  'a public listener with %s leads no request to it, with a token and any Host, target or path',
  { timeout: 60_000 },
  async (_, routes) => {
    const place = await start(({ echo }) => ({
      services: { echo: { endpoints: [{ address: `127.0.0.1:${echo}` }] } },
      routes,
    }));
    const { gateway, adminPort, visits } = place;
    for (const lines of requestsFor(place)) {
      expectOurs(await sendTo(gateway.httpPort, lines), lines.slice(0, 2));
      expectOurs(await sendOverTls(gateway.httpsPort, lines), lines.slice(0, 2));
    }
    for (const url of [
      `http://127.0.0.1:${gateway.httpPort}`,
      `https://localhost:${gateway.httpsPort}`,
    ]) {
      const session = connectHttp2(url, { rejectUnauthorized: false });
      onTestFinished(() => session.destroy());
      for (const authority of hostsOf(adminPort)) {
        for (const path of PATHS.slice(0, -1)) {
          const fields = { ':authority': authority, ':path': path, ...rightsOf(place) };
          expectOurs(await askHttp2(session, fields), [authority, path]);
        }
      }
    }
    expect(visits).toEqual([]);
    // It was there all the time, and this would have been noticed.
    const answer = await fetch(`http://127.0.0.1:${adminPort}/v1/status`, {
      headers: { authorization: `Bearer ${place.token}` },
    });
    expect([answer.status, visits.length]).toEqual([200, 1]);
  },
);

it('the doors of the mesh and the probes lead no request to it', { timeout: 60_000 }, async () => {
  const place = await start(({ echo }) => ({
    listeners: [],
    register: [{ service: 'orders', address: `127.0.0.1:${echo}`, inbound: '127.0.0.1:0' }],
    outbound: { address: '127.0.0.1:0' },
  }));
  const { gateway, adminPort, visits } = place;
  const outbound = gateway.portOf('mesh:outbound');
  const inbound = gateway.portOf('mesh:inbound:orders');
  expect(outbound * inbound).toBeGreaterThan(0);
  await until(async () => {
    const answer = await sendTo(outbound, [
      'GET / HTTP/1.1',
      'Host: orders.mesh',
      'Connection: close',
    ]);
    return answer.includes('echo orders') ? true : undefined;
  });
  const more = [`127.0.0.1:${adminPort}.mesh`, 'localhost.mesh', '127.0.0.1.mesh', 'admin.mesh'];
  const requests = [
    ...requestsFor(place),
    ...more.flatMap((host) => [
      ['GET /v1/status HTTP/1.1', `Host: ${host}`, 'Connection: close'],
      [`GET http://${host}/v1/status HTTP/1.1`, `Host: ${host}`, 'Connection: close'],
    ]),
  ];
  for (const lines of requests) {
    expectOurs(await sendTo(outbound, lines), ['outbound', ...lines.slice(0, 2)]);
    expectOurs(await sendTo(inbound, lines), ['inbound', ...lines.slice(0, 2)]);
    // The probes are no gateway; they know nothing but themselves.
    expect(await sendTo(gateway.statusPort, lines)).not.toMatch(/"source":"admin"|^HTTP\/1.1 200 /);
  }
  expect(visits).toEqual([]);
});

it('may not have the address of a public listener', async () => {
  const [port] = (await freePorts(1)) as [number];
  const address = `127.0.0.1:${port}`;
  const starting = startGateway({
    listeners: [{ name: 'http', address }],
    admin: { address },
  });
  await expect(starting).rejects.toThrow(/admin\.address: the address is taken by the listener/);
});

it('as an upstream asks for a token all the same, and for a Host of its own', async () => {
  const { gateway, token } = await start(({ admin }) => ({
    services: { admin: { endpoints: [{ address: `127.0.0.1:${admin}` }] } },
    routes: [{ name: 'all', to: 'admin' }],
  }));
  const ask = async (host: string, ...fields: readonly string[]): Promise<string> => {
    const head = ['GET /v1/status HTTP/1.1', `Host: ${host}`, 'Connection: close', ...fields];
    return sendTo(gateway.httpPort, head);
  };
  const right = `Authorization: Bearer ${token}`;
  expect(await ask('api.test', right)).toContain('"code":"misdirected_request"');
  expect(await ask('localhost')).toContain('"code":"unauthenticated"');
  expect(await ask('localhost', 'Authorization: Bearer x')).toMatch(/^HTTP\/1.1 40[13] /);
  // It is the operator's own wish.
  expect(await ask('localhost', right)).toMatch(/^HTTP\/1.1 200 /);
});
