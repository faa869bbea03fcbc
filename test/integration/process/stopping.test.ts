import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  createFolder,
  eventually,
  startMeshgate,
  toConfig,
  writeConfig,
  type GatewayProcess,
} from './gateway-process.ts';
import { startLoad } from './load.ts';
import { startOrigin, type Origin } from './origin.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

interface Running {
  readonly gateway: GatewayProcess;
  readonly origin: Origin;
}

async function start(config: Record<string, unknown> = {}): Promise<Running> {
  const origin = await startOrigin();
  const file = await writeConfig(await createFolder(), toConfig(origin.port, config));
  return { gateway: await startMeshgate(file), origin };
}

/** Listeners whose requests in flight may go on for half a second. */
const HASTY = {
  listeners: [
    { name: 'http', address: '127.0.0.1:0', protocol: 'http', limits: { drain: '500ms' } },
  ],
};

async function ask(url: string): Promise<IncomingMessage> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  return response;
}

async function untilUnready(gateway: GatewayProcess): Promise<void> {
  await eventually(async () => ((await gateway.readiness()).code === 503 ? true : undefined));
}

describe('meshgate start', () => {
  it('says where it listens, and answers there', async () => {
    const { gateway } = await start();
    expect(gateway.program.stdout).toContain(
      `meshgate: http listens on http://localhost:${gateway.portOf('http')}\n`,
    );
    const response = await ask(gateway.url);
    expect([response.statusCode, await text(response)]).toEqual([200, 'ok origin']);
    expect((await gateway.readiness()).code).toBe(200);
  });
});

describe('told by SIGUSR1', () => {
  it('opens no debugger, and goes on', async () => {
    const { gateway } = await start();
    const { program } = gateway;
    program.signal('SIGUSR1');
    expect((await ask(gateway.url)).statusCode).toBe(200);
    // It would have said so by the time it ends.
    program.signal('SIGTERM');
    expect((await program.ended).code).toBe(0);
    expect(program.stderr).not.toMatch(/debugger|inspector/i);
  });
});

describe('told by SIGUSR2', () => {
  it('says that there are no workers to be replaced, and goes on', async () => {
    const { gateway } = await start();
    gateway.program.signal('SIGUSR2');
    await gateway.program.said('stderr', /"workers":1,"msg":"there are no workers to be replaced"/);
    expect((await ask(gateway.url)).statusCode).toBe(200);
  });
});

describe('told to stop under load', () => {
  it('fails no request, ends what is in flight, says 1001 and exits with 0', async () => {
    const { gateway, origin } = await start();
    const load = startLoad({ port: gateway.portOf('http') });
    await load.more(200);
    const socket = new WebSocket(gateway.url.replace('http', 'ws'));
    await once(socket, 'open');
    const farewell = once(socket, 'close');
    const slow = ask(`${gateway.url}/slow`);
    const held = await origin.slowRequest();

    gateway.program.signal('SIGTERM');
    await untilUnready(gateway);
    expect((await gateway.readiness()).report.status).toBe('draining');
    await load.left;
    expect((await farewell)[0]).toBe(1001);
    expect(gateway.program.running).toBe(true);

    held.end('ok at last');
    const answered = await slow;
    expect([answered.statusCode, await text(answered)]).toEqual([200, 'ok at last']);
    expect(load.failures).toEqual([]);
    expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
  });

  it('accepts no new connection while it drains', async () => {
    const { gateway, origin } = await start();
    const slow = ask(`${gateway.url}/slow`);
    const held = await origin.slowRequest();
    gateway.program.signal('SIGTERM');
    await untilUnready(gateway);
    await expect(ask(gateway.url)).rejects.toThrow('ECONNREFUSED');
    held.end('ok');
    expect((await slow).headers.connection).toBe('close');
    expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
  });

  it('takes a signal that comes twice at once, as npm passes a Ctrl-C on, for one', async () => {
    const { gateway, origin } = await start();
    const slow = ask(`${gateway.url}/slow`);
    const held = await origin.slowRequest();
    gateway.program.signal('SIGINT');
    await gateway.program.said('stderr', /"signal":"SIGINT".*"msg":"draining"/);
    gateway.program.signal('SIGINT');
    await untilUnready(gateway);
    held.end('ok');
    expect(await text(await slow)).toBe('ok');
    expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
  });

  it('does the same on SIGINT', async () => {
    const { gateway, origin } = await start();
    const slow = ask(`${gateway.url}/slow`);
    const held = await origin.slowRequest();
    gateway.program.signal('SIGINT');
    await untilUnready(gateway);
    held.end('ok');
    expect(await text(await slow)).toBe('ok');
    expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
  });
});

describe('told to stop while a request hangs', () => {
  it('cuts it at the deadline and exits with 0', async () => {
    const { gateway, origin } = await start(HASTY);
    const hanging = ask(`${gateway.url}/slow`);
    const cut = hanging.catch((error: Error) => error.message);
    await origin.slowRequest();
    gateway.program.signal('SIGTERM');
    expect(await cut).toMatch(/socket hang up|ECONNRESET/);
    expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends at once on a second signal, %s', async (second) => {
    const { gateway, origin } = await start();
    const hanging = ask(`${gateway.url}/slow`);
    const cut = hanging.catch((error: Error) => error.message);
    await origin.slowRequest();
    gateway.program.signal('SIGTERM');
    await untilUnready(gateway);
    await eventually(() => {
      // The same signal again within half a second counts for the first.
      gateway.program.signal(second);
      return Promise.resolve(gateway.program.running ? undefined : true);
    });
    // A drain would have cut the request after 30 s, and ended with 0.
    expect(await gateway.program.ended).toEqual({ code: 1, signal: null });
    expect(await cut).toMatch(/socket hang up|ECONNRESET/);
    expect(gateway.program.stderr).toContain('ends without draining');
  });
});
