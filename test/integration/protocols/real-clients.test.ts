/** Clients that people use: curl, and Python's http.client. Each is skipped where it is not installed. */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { startHttp1Origin, type TestOrigin } from './origins.ts';

const run = promisify(execFile);
const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
const CURL = has('curl', '--version');
const CURL_HTTP2 = CURL && String(spawnSync('curl', ['--version']).stdout).includes('HTTP2');
const PYTHON = has('python3', '-c', 'import http.client');
const SIZE = 3 * 1024 * 1024 + 7;

let origin: TestOrigin;
let gateway: TestGateway;
let directory: string;
let upload: string;
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  origin = await startHttp1Origin((request, response) => {
    void answer(request).then((body) => {
      response.setHeader('x-expected', request.headers.expect ?? '');
      if (request.url === '/chunks') response.write(body.subarray(0, 10));
      else response.setHeader('content-length', body.length);
      response.end(request.url === '/chunks' ? body.subarray(10) : body);
    });
    if (request.headers.expect !== undefined) response.writeContinue();
  });
  gateway = await startGateway({
    services: { origin: { endpoints: [{ address: origin.address }] } },
    routes: [{ name: 'all', to: 'origin' }],
  });
  directory = await mkdtemp(join(tmpdir(), 'meshgate-clients-'));
  upload = join(directory, 'upload');
  await writeFile(upload, Buffer.alloc(SIZE, 'abcdefg'));
});

afterAll(async () => {
  await gateway?.stop();
  await origin?.close();
  await rm(directory, { recursive: true, force: true });
});

/** A digest of what was sent, or a large body. */
async function answer(request: IncomingMessage): Promise<Buffer> {
  if (request.url === '/large') return Buffer.alloc(SIZE, 'hijklmn');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.from(`${request.method} ${digest(Buffer.concat(chunks))}`);
}

describe.skipIf(!CURL)('curl', () => {
  const curl = async (...args: string[]): Promise<string> =>
    (await run('curl', ['-sS', '-k', '--max-time', '15', ...args])).stdout;

  describe.for([
    ['HTTP/1.0', '1.0', ['--http1.0'], false],
    ['HTTP/1.1', '1.1', ['--http1.1'], false],
    ['HTTP/1.1 over TLS', '1.1', ['--http1.1'], true],
    ['HTTP/2 over TLS', '2', ['--http2'], true],
    ['HTTP/2 by prior knowledge', '2', ['--http2-prior-knowledge'], false],
  ] as const)('by %s', ([, version, flags, tls]) => {
    const urlOf = (path: string): string =>
      tls
        ? `https://localhost:${gateway.httpsPort}${path}`
        : `http://127.0.0.1:${gateway.httpPort}${path}`;
    const works = version !== '2' || CURL_HTTP2;

    it.skipIf(!works)('downloads, with and without a length', async () => {
      const target = join(directory, 'download');
      const seen = await curl(
        ...flags,
        '-o',
        target,
        '-w',
        '%{http_version} %{http_code}',
        urlOf('/large'),
      );
      // An answer tells the server's version, not the request's (RFC 9110 §6.2).
      expect(seen).toBe(`${version === '1.0' ? '1.1' : version} 200`);
      expect(digest(await readFile(target))).toBe(digest(Buffer.alloc(SIZE, 'hijklmn')));
      expect(await curl(...flags, urlOf('/chunks'))).toBe(`GET ${digest(Buffer.alloc(0))}`);
    });

    it.skipIf(!works)('uploads', async () => {
      const expected = digest(await readFile(upload));
      expect(await curl(...flags, '-T', upload, urlOf('/up'))).toBe(`PUT ${expected}`);
      expect(await curl(...flags, '--data-binary', `@${upload}`, urlOf('/up'))).toBe(
        `POST ${expected}`,
      );
    });

    it.skipIf(!works)('asks for a head alone', async () => {
      expect(await curl(...flags, '-I', urlOf('/'))).toMatch(/^HTTP\/\S+ 200/);
    });

    // curl 7.88 cannot reuse a connection by prior knowledge, whoever it is to.
    it.skipIf(!works || (version === '2' && !tls))(
      'asks for several things on one connection',
      async () => {
        const both = await curl(...flags, '-w', '%{num_connects}\n', urlOf('/a'), urlOf('/b'));
        const expected = `GET ${digest(Buffer.alloc(0))}`;
        expect(both).toBe(`${expected}1\n${expected}${version === '1.0' ? '1' : '0'}\n`);
      },
    );
  });

  it('uploads after 100-continue, and in chunks', async () => {
    const url = `http://127.0.0.1:${gateway.httpPort}/up`;
    const flags = ['--http1.1', '-H', 'Expect: 100-continue', '--expect100-timeout', '10', '-v'];
    const { stdout, stderr } = await run('curl', ['-sS', ...flags, '-T', upload, url]);
    expect(stdout).toBe(`PUT ${digest(await readFile(upload))}`);
    expect(stderr).toContain('HTTP/1.1 100 Continue');
    expect(stderr).toMatch(/x-expected: 100-continue/i);
    const chunked = await curl('--http1.1', '-H', 'Transfer-Encoding: chunked', '-T', upload, url);
    expect(chunked).toBe(`PUT ${digest(await readFile(upload))}`);
  });
});

describe.skipIf(!PYTHON)("Python's http.client", () => {
  it('keeps its connection, sends chunks, and reads answers of every framing', async () => {
    const script = `
import hashlib, http.client, json
c = http.client.HTTPConnection('127.0.0.1', ${gateway.httpPort}, timeout=15)
seen = []
c.request('GET', '/large'); r = c.getresponse(); seen.append([r.status, hashlib.sha256(r.read()).hexdigest()])
sock = c.sock
c.request('GET', '/chunks'); r = c.getresponse(); seen.append([r.status, r.read().decode()])
c.request('HEAD', '/'); r = c.getresponse(); seen.append([r.status, r.read().decode()])
c.request('POST', '/up', body=iter([b'one', b'two', b'three']), encode_chunked=True, headers={'Transfer-Encoding': 'chunked'})
r = c.getresponse(); seen.append([r.status, r.read().decode()])
seen.append(c.sock is sock)
print(json.dumps(seen))
`;
    const { stdout } = await run('python3', ['-c', script]);
    expect(JSON.parse(stdout)).toEqual([
      [200, digest(Buffer.alloc(SIZE, 'hijklmn'))],
      [200, `GET ${digest(Buffer.alloc(0))}`],
      [200, ''],
      [200, `POST ${digest(Buffer.from('onetwothree'))}`],
      true,
    ]);
  });
});
