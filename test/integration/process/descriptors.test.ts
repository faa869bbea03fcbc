import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  createFolder,
  eventually,
  MAIN,
  startMeshgate,
  toConfig,
  writeConfig,
  type GatewayProcess,
} from './gateway-process.ts';
import { startOrigin } from './origin.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000 });

/** A gateway that may have no more files and sockets than `descriptors`. */
async function startWith(descriptors: number, config: object): Promise<GatewayProcess> {
  const file = await writeConfig(await createFolder(), config);
  return startMeshgate(file, {
    command: ['sh', '-c', `ulimit -n ${descriptors} && exec "$0" "$@"`, process.execPath, MAIN],
  });
}

/** Clients that connect and say nothing. */
class Crowd {
  readonly sockets: Socket[] = [];
  connected = 0;
  closed = 0;

  constructor(port: number, size: number) {
    for (let i = 0; i < size; i++) {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('connect', () => this.connected++).on('close', () => this.closed++);
      socket.on('error', () => undefined).resume();
      this.sockets.push(socket);
    }
    onTestFinished(() => this.leave());
  }

  get staying(): number {
    return this.connected - this.closed;
  }

  leave(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

function logged(gateway: GatewayProcess, message: RegExp): Record<string, unknown>[] {
  return gateway.program.stderr
    .split('\n')
    .filter((line) => message.test(line))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('more clients than there are file descriptors', () => {
  it('says at start that it cannot have as many connections as it was told, and what to do', async () => {
    const gateway = await startWith(400, toConfig(1));
    await gateway.program.said('stderr', /LimitNOFILE/);
    expect(logged(gateway, /LimitNOFILE/)).toEqual([
      expect.objectContaining({
        listener: 'http',
        connections: 10_000,
        openFiles: 400,
        effectiveConnections: 200,
        openFilesNeeded: 20_000,
      }),
    ]);
  });

  it('says nothing where they suffice', async () => {
    const listeners = [
      { name: 'http', address: '127.0.0.1:0', protocol: 'http', limits: { connections: 200 } },
    ];
    const gateway = await startWith(400, toConfig(1, { listeners }));
    await gateway.program.said('stderr', /configuration applied/);
    expect(gateway.program.stderr).not.toContain('LimitNOFILE');
  });

  it('turns the surplus away, says so once, answers probes and the others', async () => {
    const origin = await startOrigin();
    const gateway = await startWith(400, toConfig(origin.port));
    // One that is in already is served all along.
    const early = new Crowd(gateway.portOf('http'), 1);
    await eventually(async () => (early.connected === 1 ? true : undefined));
    const crowd = new Crowd(gateway.portOf('http'), 450);
    await eventually(async () =>
      crowd.connected === 450 && crowd.staying === 199 ? true : undefined,
    );

    expect((await gateway.readiness()).code).toBe(200);
    const [socket] = early.sockets;
    let text = '';
    socket!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket!.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(async () => (text.includes('ok origin') ? true : undefined));
    expect(logged(gateway, /turned away/)).toEqual([
      expect.objectContaining({ level: 'warn', listener: 'http', maxAccepted: 200 }),
    ]);

    crowd.leave();
    await eventually(async () =>
      (await fetch(gateway.url).catch(() => undefined))?.status === 200 ? true : undefined,
    );
    expect(gateway.program.running).toBe(true);
  });

  it('lives on where not one is left, and blames no endpoint for it', async () => {
    const origin = await startOrigin();
    const roomy = await startMeshgate(await writeConfig(await createFolder(), toConfig(1)));
    const own = (await readdir(`/proc/${roomy.program.child.pid}/fd`)).length;
    await roomy.program.kill();
    // With its own, the half that clients may have is more than there is.
    const gateway = await startWith(Math.floor(own * 1.75), toConfig(origin.port));
    const early = new Crowd(gateway.portOf('http'), 8);
    await eventually(async () => (early.connected === 8 ? true : undefined));
    const crowd = new Crowd(gateway.portOf('http'), 60);
    await eventually(async () => (crowd.connected === 60 && crowd.closed > 0 ? true : undefined));

    const answers: string[] = [];
    for (const socket of early.sockets) {
      socket.on('data', (chunk: Buffer) => answers.push(chunk.toString()));
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    }
    await eventually(async () => (answers.length >= 8 ? true : undefined));
    expect(answers.join('')).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: 1[^]*"code":"overloaded"/);

    crowd.leave();
    early.leave();
    // Five failures in a row would have ejected the one endpoint.
    await eventually(async () =>
      (await fetch(gateway.url).catch(() => undefined))?.status === 200 ? true : undefined,
    );
    expect(gateway.program.stderr).not.toMatch(/eject|unexpected error/);
  });
});
