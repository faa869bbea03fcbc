/** Many requests over few HTTP/2 connections, by nghttp2's load generator. Skipped where it is not installed. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { startHttp1Origin, startHttp2Origin, type TestOrigin } from './origins.ts';

const run = promisify(execFile);
/** Debian: the package nghttp2-client. */
const MISSING = spawnSync('h2load', ['--version']).status !== 0;

let http1: TestOrigin;
let http2: TestOrigin;
let gateway: TestGateway;

describe.skipIf(MISSING)(
  `h2load${MISSING ? ' (not installed: apt install nghttp2-client)' : ''}`,
  () => {
    beforeAll(async () => {
      const body = 'x'.repeat(1024);
      http1 = await startHttp1Origin((request, response) => {
        request.resume();
        response.end(body);
      });
      http2 = await startHttp2Origin((stream) => {
        stream.resume();
        stream.respond({ ':status': 200 });
        stream.end(body);
      });
      gateway = await startGateway({
        services: {
          h1: { endpoints: [{ address: http1.address }] },
          h2: { protocol: 'h2c', endpoints: [{ address: http2.address }] },
        },
        routes: ['h1', 'h2'].map((name) => ({ name, match: { path: `/${name}` }, to: name })),
      });
    });

    afterAll(async () => {
      await gateway?.stop();
      await Promise.all([http1?.close(), http2?.close()]);
    });

    it.for([
      ['TLS to an HTTP/1.1 upstream', 'https', 'h1'],
      ['TLS to an HTTP/2 upstream', 'https', 'h2'],
      ['the clear to an HTTP/1.1 upstream', 'http', 'h1'],
    ] as const)(
      'gets 2,000 good answers over 50 streams at a time, through %s',
      async ([, scheme, name]) => {
        const port = scheme === 'https' ? gateway.httpsPort : gateway.httpPort;
        const url = `${scheme}://localhost:${port}/${name}`;
        const { stdout } = await run('h2load', ['-n', '2000', '-c', '4', '-m', '50', url]);
        expect(stdout).toMatch(
          /requests: 2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout/,
        );
        expect(stdout).toMatch(/status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx/);
        expect(stdout).toMatch(/traffic:.* \(2048000\) data/);
      },
    );
  },
);
