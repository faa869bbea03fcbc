/** Any node's admin API answers for all: real gateways on a Redis, and one of them asked. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { send, type AdminAnswer } from '../../admin/admin-fixture.ts';
import { readEvents } from '../../admin/event-reader.ts';
import { until } from '../gateway-fixture.ts';
import { freePort } from '../../redis/free-port.ts';
import { callBy, useMesh } from './mesh-fixture.ts';

const mesh = useMesh();

it(
  'a node finds another, watches its traffic, and has done with it when it leaves',
  { timeout: 60_000 },
  async () => {
    const here = mesh();
    const port = await freePort();
    const asked = await here.node({
      node: { name: 'asked' },
      admin: { address: `127.0.0.1:${port}` },
    });
    // Where its admin API is, the other tells by itself.
    const other = await here.node({
      node: { name: 'other' },
      routes: [
        { name: 'hello', match: [{ path: '/hello' }], respond: { status: 200, body: 'hi' } },
      ],
    });
    const own = (await readFile(join(asked.directory, '.meshgate/admin-token'), 'utf8')).trim();
    const ask = (path: string, token: string, body?: object): Promise<AdminAnswer> =>
      send(port, path, {
        headers: { authorization: `Bearer ${token}` },
        ...(body && { method: 'POST', body }),
      });
    const made = await ask('/v1/tokens', own, { name: 'ops', role: 'operator' });
    const token = made.body['token'] as string;

    const local = await ask('/v1/nodes/other/mesh/nodes', own);
    expect([local.status, local.body['code']]).toEqual([401, 'local_token']);
    const listed = await until(async () => {
      const answer = await ask('/v1/nodes/other/mesh/nodes', token);
      return answer.status === 200 ? answer : undefined;
    });
    expect(listed.body).toMatchObject({
      items: [{ name: 'asked' }, { name: 'other', admin: { address: expect.any(String) } }],
      nodes: { included: ['asked', 'other'], missing: [] },
    });
    // What tells loopback devices apart says nothing else of the machine.
    expect(JSON.stringify(listed.body)).not.toContain(
      (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    );

    const reader = await readEvents(port, '/v1/nodes/other/tap?route=hello', token);
    expect(reader.status).toBe(200);
    await callBy(other.httpPort, '/hello', { headers: { host: 'a' } });
    const { data } = await reader.next();
    expect([data['route'], data['status']]).toEqual(['hello', 200]);

    const metrics = await until(async () => {
      const { body } = await ask('/v1/mesh/metrics', token);
      const { included } = body['nodes'] as { included: string[] };
      return included.length === 2 ? body : undefined;
    });
    expect(metrics['items']).toMatchObject([{ node: 'asked' }, { node: 'other' }]);

    await other.stop();
    await reader.ended;
    expect(reader.events.at(-1)).toEqual({ event: 'end', data: { reason: 'stopping' } });
    const gone = await ask('/v1/nodes/other/mesh/nodes', token);
    expect([gone.status, gone.body['code']]).toEqual([404, 'not_found']);
    expect((await ask('/v1/mesh/nodes', token)).body['nodes']).toEqual({
      included: ['asked'],
      missing: [],
    });
  },
);
