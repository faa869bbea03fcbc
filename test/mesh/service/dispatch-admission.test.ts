import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { errors, request } from 'undici';
import { describe, expect, it } from 'vitest';
import { MeshDispatcher } from '../../../src/mesh/service/mesh-dispatcher.ts';
import type { Service } from '../../../src/mesh/service/service.ts';
import { createNodeOrigin } from '../transport/http1-origins.ts';
import { dispatch, echo } from './dispatcher-fixture.ts';
import { serviceFixtures, toSpec } from './service-fixture.ts';

const open = serviceFixtures();

async function openService(): Promise<Service> {
  const origin = await open.origin(createNodeOrigin(echo));
  return open.service([toSpec(origin.target)]).service;
}

function createGuarded(
  service: Service,
  admit: (service: Service) => Promise<void> | undefined,
): MeshDispatcher {
  return new MeshDispatcher({ resolve: () => service, admit });
}

describe('a call that has to wait to be admitted', () => {
  it('begins at once, and is sent when it is', async () => {
    const service = await openService();
    const gate = Promise.withResolvers<void>();
    const handler = dispatch(createGuarded(service, () => gate.promise));
    expect([handler.calls, service.breaker.active]).toEqual([['start'], 0]);
    handler.controller!.pause();
    gate.resolve();
    await gate.promise;
    expect(service.breaker.active).toBe(1);
    handler.controller!.resume();
    expect((await handler.over).calls).toEqual(['start', 'head', 'data', 'end']);
  });

  it('fails with what it is refused for, now or later', async () => {
    const service = await openService();
    const no = new Error('not you');
    const later = dispatch(createGuarded(service, () => Promise.reject(no)));
    expect([(await later.over).error, later.calls]).toEqual([no, ['start', 'error']]);
    const now = dispatch(
      createGuarded(service, () => {
        throw no;
      }),
    );
    expect([now.error, now.calls]).toEqual([no, ['error']]);
  });

  it('that cannot be made leaves no refusal behind that nobody hears', async () => {
    const service = await openService();
    const unheard: unknown[] = [];
    const note = (reason: unknown): void => void unheard.push(reason);
    process.on('unhandledRejection', note);
    const failed = dispatch(
      createGuarded(service, () => Promise.reject(new Error('not you'))),
      { path: 'no-slash' },
    );
    expect((await failed.over).error).toBeInstanceOf(errors.InvalidArgumentError);
    await setImmediate();
    process.off('unhandledRejection', note);
    expect(unheard).toEqual([]);
  });

  it('is over when its caller gives it up, and so is its body', async () => {
    const service = await openService();
    const gate = Promise.withResolvers<void>();
    const dispatcher = createGuarded(service, () => gate.promise);
    const abort = new AbortController();
    const body = Readable.from(['never']);
    const asked = request('http://orders.mesh/', {
      dispatcher,
      method: 'POST',
      body,
      signal: abort.signal,
    });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
    expect(body.destroyed).toBe(true);
    gate.resolve();
    await gate.promise;
    expect(service.breaker.active).toBe(0);
    await dispatcher.close();
  });
});
