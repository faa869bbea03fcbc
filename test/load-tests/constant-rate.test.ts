import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { runConstantRate } from '../../load-tests/constant-rate.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function load(answer: RequestListener, total: number) {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return runConstantRate({
    url,
    paths: ['/'],
    perSecond: 200,
    seconds: total / 200,
    connections: 4,
  });
}

describe('load at a constant rate', () => {
  it('counts no connection as closed that the server keeps', async () => {
    const { latenciesUs, failed, closed } = await load((_, response) => response.end('ok'), 20);
    expect(latenciesUs).toHaveLength(20);
    expect({ failed, closed }).toEqual({ failed: 0, closed: 0 });
  });

  it('counts the connections that the server closes', async () => {
    const { latenciesUs, closed } = await load((_, response) => {
      response.setHeader('connection', 'close');
      response.end('ok');
    }, 20);
    expect(latenciesUs).toHaveLength(20);
    // The last one may be closed after the load has ended.
    expect(closed).toBeGreaterThanOrEqual(16);
    expect(closed).toBeLessThanOrEqual(20);
  });

  it('counts a request once that breaks off in its answer, and an answer that is none', async () => {
    let asked = 0;
    const { latenciesUs, failed } = await load((_, response) => {
      asked++;
      if (asked % 2 === 0) {
        response.writeHead(503).end();
        return;
      }
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
    }, 20);
    expect(asked).toBe(20);
    expect(latenciesUs).toHaveLength(0);
    expect(failed).toBe(20);
  });
});
