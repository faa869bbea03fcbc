/** The same errors as a gRPC caller is told them: by grpc-status, in an answer of one head. */
import { once } from 'node:events';
import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ERROR_REFERENCE } from '../../../config/error-reference.ts';
import type * as standard from '../../../src/plugins/standard.ts';
import { toProxyStatus } from '../../../src/gateway/rescue/proxy-status.ts';
import { SECRET } from './bad-plugins.ts';
import { KEY, startErrorGateway, TOKEN, type ErrorGateway } from './error-gateway.ts';
import { provocations, type Provocation } from './provocations.ts';

vi.mock('../../../src/plugins/standard.ts', async (original) => {
  const { standardPlugins } = await original<typeof standard>();
  const { badPlugins } = await import('./bad-plugins.ts');
  return { standardPlugins: new Map([...standardPlugins, ...badPlugins]) };
});

/** https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md, and what clients retry by. */
const GRPC_STATUS: Readonly<Record<string, number>> = {
  bad_request: 13,
  misdirected_request: 2,
  no_route: 12,
  payload_too_large: 8,
  unauthenticated: 16,
  forbidden: 7,
  rate_limited: 8,
  no_healthy_endpoint: 14,
  upstream_connect_failed: 14,
  upstream_reset: 14,
  upstream_protocol_error: 14,
  upstream_timeout: 4,
  plugin_failed: 13,
  internal: 13,
};

interface GrpcAnswer {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** The one head ended the stream. */
  readonly headOnly: boolean;
}

let errors: ErrorGateway;

beforeAll(async () => {
  errors = await startErrorGateway();
});
afterAll(() => errors?.stop());

describe('a gRPC caller', () => {
  it.for(provocations)('is told of $code, by $name', async (provocation) => {
    const { code, lines = [], body = '' } = provocation;
    const answer = await call(
      provocation,
      {
        'content-type': 'application/grpc+proto',
        ...Object.fromEntries(lines.filter((line) => !line.startsWith('Transfer-')).map(toField)),
      },
      withoutChunks(body),
    );
    expect(answer.fields).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(GRPC_STATUS[code]),
      'proxy-status':
        provocation.proxyStatus === undefined
          ? toProxyStatus(code, undefined)
          : `meshgate; error=${provocation.proxyStatus}`,
      'x-request-id': expect.stringMatching(/^[\da-f-]{36}$/),
    });
    expect(answer.headOnly).toBe(true);
    expect(answer.body).toBe('');
    const message = String(answer.fields['grpc-message']);
    expect(decodeURIComponent(message)).toMatch(/^[A-Z].*\.$/);
    for (const secret of [SECRET, KEY, TOKEN]) expect(JSON.stringify(answer)).not.toContain(secret);
    for (const [name, value] of Object.entries(provocation.fields ?? {})) {
      expect(answer.fields[name]).toMatch(value);
    }
  });

  it('is told of a limit by the status that clients do not retry at once', async () => {
    const limited = { name: '', code: 'rate_limited', target: '/limited', reason: /./ } as const;
    await call(limited, { 'content-type': 'application/grpc' });
    const { fields } = await call(limited, { 'content-type': 'application/grpc' });
    expect(fields).toMatchObject({ ':status': 200, 'grpc-status': '8' });
    expect(fields['retry-after']).toMatch(/^\d+$/);
  });

  it('is known by its content type alone', async () => {
    const missing = { name: '', code: 'no_route', target: '/nowhere', reason: /./ } as const;
    for (const type of [
      'application/grpc',
      'application/grpc;charset=utf-8',
      'Application/GRPC+json',
    ]) {
      const { fields } = await call(missing, { 'content-type': type });
      expect(fields).toMatchObject({ ':status': 200, 'grpc-status': '12' });
    }
    for (const type of ['application/json', 'application/grpc-web', 'application/grpcx']) {
      const { fields, body } = await call(missing, { 'content-type': type });
      expect(fields).toMatchObject({ ':status': 404 });
      expect(JSON.parse(body)).toMatchObject({ code: 'no_route' });
    }
  });
});

it('every other HTTP/2 caller is told of $code as over HTTP/1.1', async () => {
  for (const provocation of provocations.filter(
    ({ lines, body }) => (lines ?? body) === undefined,
  )) {
    const { fields, body } = await call(provocation, {});
    const status = provocation.status ?? ERROR_REFERENCE[provocation.code].status;
    expect(fields).toMatchObject({
      ':status': status,
      'content-type': 'application/problem+json',
    });
    expect(JSON.parse(body)).toMatchObject({ status, code: provocation.code });
  }
});

async function openSession(): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${errors.gateway.httpPort}`);
  onTestFinished(() => session.destroy());
  await once(session, 'remoteSettings');
  return session;
}

async function call(
  { method = 'POST', target, host = 'localhost' }: Provocation,
  headers: OutgoingHttpHeaders,
  body = '',
): Promise<GrpcAnswer> {
  const session = await openSession();
  const stream = session.request(
    { ':method': method, ':path': target, ':authority': host, ...headers },
    // Otherwise node itself would find fault with a length and no body.
    { endStream: headers['content-length'] === undefined && body === '' },
  );
  let fields: Record<string, unknown> = {};
  let headOnly = false;
  let text = '';
  stream.on('response', (received, flags) => {
    fields = received;
    headOnly = (flags & 1) === 1;
  });
  stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  // A refusal may come before the body has been taken.
  stream.on('error', () => undefined);
  if (body !== '') stream.end(body);
  await new Promise((resolve) => stream.once('close', resolve));
  session.destroy();
  return { fields, body: text, headOnly };
}

function toField(line: string): [string, string] {
  const [name = '', value = ''] = line.split(': ');
  return [name.toLowerCase(), value];
}

/** The body of a provocation that is written in chunks; HTTP/2 has frames for that. */
function withoutChunks(body: string): string {
  return body.replace(/^[\da-f]+\r\n([^\r]*)\r\n$/, '$1');
}
