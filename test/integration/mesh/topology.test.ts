/** Who calls whom, as any node tells it of real traffic through several. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort } from '../../redis/free-port.ts';
import { until } from '../gateway-fixture.ts';
import {
  callBy,
  outboundOf,
  provider,
  startApplication,
  untilServed,
  useMesh,
} from './mesh-fixture.ts';

const mesh = useMesh();

interface Edge {
  readonly source: string;
  readonly destination: string;
  readonly requests_per_second: number;
  readonly error_ratio: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly nodes: readonly string[];
}

const HEALTH_CHECK = { healthCheck: { http: { path: '/healthz' } } };

it('any node draws a gateway, and a service that calls another', { timeout: 60_000 }, async () => {
  const here = mesh();
  let answered = 0;
  const orders = await startApplication((asked, response) => {
    // Every fourth fails, and each takes its time.
    response.statusCode = asked.url === '/healthz' || ++answered % 4 > 0 ? 200 : 500;
    setTimeout(() => response.end('orders'), 20);
  });
  let doorPort = 0;
  const users = await startApplication((asked, response) => {
    if (asked.url === '/healthz') response.end();
    else
      void callBy(doorPort, 'http://orders.mesh/').then(({ body }) =>
        response.end(`users of ${body}`),
      );
  });
  await here.node(provider('orders', orders.port, HEALTH_CHECK));
  const besideUsers = await here.node({
    ...provider('users', users.port, HEALTH_CHECK),
    outbound: { address: '127.0.0.1:0' },
  });
  doorPort = outboundOf(besideUsers);
  // Users may be in the mesh before its node knows of orders.
  await untilServed(besideUsers, 'http://orders.mesh/');
  const gateway = await here.node({
    services: { users: { discover: { mesh: 'users' } } },
    routes: [{ name: 'users', to: 'users' }],
  });
  // It carries no traffic: what it tells, it has from the others.
  const adminPort = await freePort();
  const witness = await here.node({ admin: { address: `127.0.0.1:${adminPort}` } });
  const token = await readFile(join(witness.directory, '.meshgate/admin-token'), 'utf8');
  const ask = async <Item>(what: string): Promise<readonly Item[]> => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/v1/mesh/${what}`, {
      headers: { authorization: `Bearer ${token.trim()}` },
    });
    return ((await answer.json()) as { items: readonly Item[] }).items;
  };
  // A call before that would be a failure of its own.
  await until(async () => ((await ask('endpoints')).length === 2 ? true : undefined));

  const bodies = new Set<string>();
  const edges = await until(async () => {
    const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}/`);
    const body = await answer.text();
    if (answer.status === 200) bodies.add(body);
    const found = await ask<Edge>('topology');
    const failing = found.find(({ error_ratio: ratio }) => ratio > 0);
    return found.length === 2 && failing !== undefined ? found : undefined;
  });
  expect([...bodies]).toEqual(['users of orders']);
  const byPath = new Map(edges.map((edge) => [`${edge.source} > ${edge.destination}`, edge]));
  expect([...byPath.keys()].toSorted()).toEqual(['gateway > users', 'users > orders']);
  const [north, east] = [byPath.get('gateway > users')!, byPath.get('users > orders')!];
  expect([north.nodes.length, east.nodes.length]).toEqual([1, 1]);
  // A failure of orders, which users makes up for.
  expect([north.error_ratio, east.error_ratio < 0.6]).toEqual([0, true]);
  for (const { requests_per_second: rate, p50_ms: p50, p99_ms: p99 } of [north, east]) {
    expect(rate).toBeGreaterThan(0);
    // Known within 6.25%.
    expect(p50).toBeGreaterThanOrEqual(18);
    expect(p99).toBeGreaterThanOrEqual(p50);
  }
});
