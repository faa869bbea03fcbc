import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tap } from '../../src/cli/tap.ts';
import { toTapLine } from '../../src/cli/tap-line.ts';
import { startAdmin, stopAdminsAfterEach } from '../admin/admin-fixture.ts';
import { runAdminVerb } from './admin-verbs.ts';
import { runVerb } from './verb-run.ts';

stopAdminsAfterEach();

const RECORD = {
  time: '2026-01-01T12:00:01.123Z',
  method: 'GET',
  host: 'api.test',
  path: '/orders/1',
  query: '?a',
  status: 200,
  duration_ms: 12.345,
  route: 'orders',
  service: 'orders',
  endpoint: '10.0.0.7:80',
  attempts: 1,
};

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** An API that answers every request so, and what it was asked for. */
async function serve(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    answer(response, request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, env: { MESHGATE_ADMIN: url, MESHGATE_TOKEN: 'x' } };
}

describe('meshgate tap', () => {
  it('prints a line for each request, until the node has told of as many as asked for', async () => {
    const { asked, env } = await serve((response) => {
      response.write(`:\n\n${event('exchange', RECORD)}`);
      response.end(
        `${event('exchange', { ...RECORD, status: 503 })}${event('end', { reason: 'limit' })}`,
      );
    });
    const argv = ['--limit', '2', '--status', '5xx,200', '--path', '/o&p', '--query-values'];
    expect(await runVerb(tap, argv, '/', env)).toEqual({
      code: 0,
      stdout: `12:00:01.123 GET 200 12.3 ms api.test/orders/1?a orders → orders 10.0.0.7:80
12:00:01.123 GET 503 12.3 ms api.test/orders/1?a orders → orders 10.0.0.7:80
`,
      stderr: '',
    });
    expect(asked).toEqual(['/v1/tap?limit=2&status=5xx%2C200&path=%2Fo%26p&query_values=true']);
  });

  it('asks for another node’s by the one that it knows', async () => {
    const { asked, env } = await serve((response) =>
      response.end(event('end', { reason: 'limit' })),
    );
    expect(await runVerb(tap, ['--node', 'edge/2'], '/', env)).toMatchObject({ code: 0 });
    expect(asked).toEqual(['/v1/nodes/edge%2F2/tap']);
  });

  it('prints lines of JSON, and tells elsewhere what is not among them', async () => {
    const { env } = await serve((response) => {
      response.write(event('exchange', RECORD));
      response.write(event('dropped', { slow: 3, rate: 0 }));
      response.write(event('dropped', { slow: 1, rate: 7 }));
      response.end(event('end', { reason: 'limit' }));
    });
    const { stdout, stderr } = await runVerb(tap, ['--json'], '/', env);
    expect(JSON.parse(stdout)).toEqual(RECORD);
    expect(stderr).toBe(`… not shown: 3 that were too fast for here
… not shown: 1 that were too fast for here, 7 beyond --rate
`);
  });

  it.each([
    [event('end', { reason: 'stopping' }), 'the node stops'],
    [event('end', { reason: 'not_allowed' }), 'the token does not hold any more'],
    ['', 'ended'],
  ])('ends with 1 where the node ends it by %j', async (last, says) => {
    const { env } = await serve((response) => response.end(last));
    const { code, stderr } = await runVerb(tap, [], '/', env);
    expect(code).toBe(1);
    expect(stderr).toContain(says);
  });

  it('ends with 1 where the connection breaks', async () => {
    const { env } = await serve((response) => {
      response.write(event('exchange', RECORD), () => response.destroy());
    });
    const { code, stderr } = await runVerb(tap, [], '/', env);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/the connection to .* broke: /)]);
  });

  it('ends once nobody reads what it prints', async () => {
    const gone = new AbortController();
    let hasEnded: Promise<unknown> | undefined;
    const { env } = await serve((response) => {
      hasEnded = once(response, 'close');
      response.write(event('exchange', RECORD));
    });
    const stdout = { write: () => gone.abort() };
    const run = await runVerb(tap, [], '/', env, { stdout, readerLeft: gone.signal });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    await hasEnded;
  });

  it('tells what the API has against it', async () => {
    const admin = await startAdmin();
    const { code, stderr } = await runAdminVerb(admin, tap, '--node', 'x');
    expect([code, stderr]).toEqual([1, expect.stringContaining('is for that node alone')]);
  });

  it.each([[['x']], [['--status']]])('ends with 2 for %j', async (argv) => {
    await expect(runVerb(tap, argv, '/')).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_PARSE_ARGS/),
    });
  });

  it('ends with 2 for a limit that is none', async () => {
    expect(await runVerb(tap, ['--limit', '0'], '/')).toMatchObject({ code: 2 });
  });
});

describe('the line of a request', () => {
  const plain = (_: unknown, text: string): string => text;

  it.each([
    [{ attempts: 3, consumer: 'acme' }, / 10\.0\.0\.7:80 \(3 tries, acme\)$/],
    [
      { service: '', endpoint: undefined, route: '', status: 404, code: 'no_route' },
      /\?a \(no_route\)$/,
    ],
    [{ code: 'upstream_reset', reason: 'ECONNRESET' }, /\(upstream_reset: ECONNRESET\)$/],
    [{ duration_ms: 1234.5 }, / 1235 ms /],
    [{ path: '/a\u001B[2J' }, / api\.test\/a\?\[2J\?a /],
    [{ status: 'odd', method: 3 }, /^12:00:01\.123 - 12/],
  ])('of %j ends so', (fields, expected) => {
    expect(toTapLine(JSON.stringify({ ...RECORD, ...fields }), plain)).toMatch(expected);
  });

  it('is what came where that is no JSON', () => {
    expect(toTapLine('hm\u0007', plain)).toBe('hm?');
  });
});
