import { describe, expect, it } from 'vitest';
import { createTopologyRecorder } from '../../../src/mesh/topology/recorder.ts';
import { percentile } from '../../../src/mesh/topology/latency-buckets.ts';
import { ManualBody } from '../../contracts/test-body-source.ts';
import type { OriginHandler } from '../../contracts/upstream-origin.ts';
import { createNodeOrigin, createRawOrigin } from '../transport/http1-origins.ts';
import {
  createRefusingTarget,
  serviceFixtures,
  startCall,
  toSpec,
  type TestService,
  type TestServiceOptions,
} from './service-fixture.ts';

const open = serviceFixtures();

/** What the topology has of the calls so far: all, and those that failed. */
function openCounted(
  specs: Parameters<typeof open.service>[0],
  options: TestServiceOptions = {},
): TestService & { readonly counted: () => { calls: number; errors: number; p50Ms: number } } {
  const topology = createTopologyRecorder();
  return {
    ...open.service(specs, { ...options, edgeTo: (name) => topology.edgeTo(name) }),
    counted() {
      const [edge, ...others] = topology.take();
      expect(others).toEqual([]);
      if (edge === undefined) return { calls: 0, errors: 0, p50Ms: 0 };
      expect(edge.destination).toBe('orders');
      const { calls, errors, buckets } = edge;
      return { calls, errors, p50Ms: percentile(buckets, 0.5)! };
    },
  };
}

const answers =
  (...statuses: number[]): OriginHandler =>
  ({ response }) => {
    response.writeHead(statuses.length > 1 ? statuses.shift()! : statuses[0]!);
    response.end('done');
  };

describe('a call in the topology', () => {
  it('is one however often it was tried, and counts by the answer that the caller got', async () => {
    const origin = await open.origin(createNodeOrigin(answers(503, 200)));
    const { service, retries, counted } = openCounted([toSpec(origin.target)], {
      retry: { attempts: 1, on: [503] },
    });
    const { sink } = startCall(service);
    await sink.ended();
    expect([sink.status, retries]).toEqual([200, ['status']]);
    expect(counted()).toMatchObject({ calls: 1, errors: 0 });
  });

  it.each([
    { status: 200, errors: 0 },
    { status: 404, errors: 0 },
    { status: 500, errors: 1 },
    { status: 503, errors: 1 },
  ])('with the answer $status has $errors errors', async ({ status, errors }) => {
    const origin = await open.origin(createNodeOrigin(answers(status)));
    const { service, counted } = openCounted([toSpec(origin.target)]);
    await startCall(service).sink.ended();
    expect(counted()).toMatchObject({ calls: 1, errors });
  });

  it('without an answer is one error, whatever its tries', async () => {
    const [a, b] = [await createRefusingTarget(), await createRefusingTarget()];
    const { service, counted } = openCounted([toSpec(a), toSpec(b)], { retry: { attempts: 1 } });
    const { sink } = startCall(service);
    await sink.failed();
    expect(sink.tries.length).toBe(2);
    expect(counted()).toMatchObject({ calls: 1, errors: 1 });
  });

  it('whose answer breaks off is an error', async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this');
      }),
    );
    const { service, counted } = openCounted([toSpec(origin.target)]);
    await startCall(service).sink.failed();
    expect(counted()).toMatchObject({ calls: 1, errors: 1 });
  });

  it('that no endpoint can take, or that the circuit breaker refuses, is an error', async () => {
    const none = openCounted([]);
    await startCall(none.service).sink.failed();
    expect(none.counted()).toMatchObject({ calls: 1, errors: 1 });

    const origin = await open.origin(createNodeOrigin(() => undefined));
    const full = openCounted([toSpec(origin.target)], {
      circuitBreaker: { maxRequests: 1, maxPending: 1, maxConnections: 1 },
    });
    const first = startCall(full.service);
    await startCall(full.service).sink.failed();
    expect(full.counted()).toMatchObject({ calls: 1, errors: 1 });
    first.abort();
  });

  it('that the caller gave up, or whose own body broke off, is no error of the service', async () => {
    const origin = await open.origin(createNodeOrigin(() => undefined));
    const { service, counted } = openCounted([toSpec(origin.target)]);
    const call = startCall(service);
    await call.sink.tried(1);
    call.abort();
    call.abort();
    expect(counted()).toMatchObject({ calls: 1, errors: 0 });
    const body = new ManualBody();
    const { sink } = startCall(service, { method: 'POST', body });
    await body.started;
    body.fail(new Error('the client left'));
    await sink.failed();
    expect(counted()).toMatchObject({ calls: 1, errors: 0 });
  });

  it('that became a tunnel is counted when it did, and not again at its end', async () => {
    const origin = await open.origin(
      createRawOrigin(({ socket }) => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
        );
      }),
    );
    const { service, counted } = openCounted([toSpec(origin.target)]);
    const { sink } = startCall(service, { upgrade: 'echo' });
    await sink.until(({ tunnel }) => tunnel !== undefined);
    expect(counted()).toMatchObject({ calls: 1, errors: 0 });
    sink.tunnel!.destroy();
    await service.stop();
    expect(counted()).toMatchObject({ calls: 0 });
  });

  it('takes until the end of its answer', async () => {
    const origin = await open.origin(
      createNodeOrigin(({ response }) => {
        response.writeHead(200);
        response.write('a');
        setTimeout(() => response.end('b'), 60);
      }),
    );
    const { service, counted } = openCounted([toSpec(origin.target)]);
    await startCall(service).sink.ended();
    expect(counted().p50Ms).toBeGreaterThan(50);
  });
});
