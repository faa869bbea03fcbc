import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../../redis/free-port.ts';
import {
  createFolder,
  eventually,
  startMeshgate,
  toConfig,
  writeConfig,
  type GatewayProcess,
} from './gateway-process.ts';
import { mountSmallDisk } from './small-disk.ts';
import { startOrigin } from './origin.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const HTTPS = {
  name: 'https',
  address: '127.0.0.1:0',
  protocol: 'https',
  tls: { selfSigned: ['localhost'] },
};

async function fingerprintOf(port: number): Promise<string> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

async function bodyOf(gateway: GatewayProcess): Promise<string> {
  return (await fetch(gateway.url)).text();
}

describe('killed without warning', () => {
  it('comes back on the same port, with the same data directory and certificate', async () => {
    const origin = await startOrigin();
    const folder = await createFolder();
    const file = await writeConfig(
      folder,
      toConfig(origin.port, {
        listeners: [
          { name: 'http', address: `127.0.0.1:${await freePort()}`, protocol: 'http' },
          HTTPS,
        ],
      }),
    );
    const first = await startMeshgate(file);
    expect(await bodyOf(first)).toBe('ok origin');
    const fingerprint = await fingerprintOf(first.portOf('https'));
    // What a save that was under way would leave.
    await writeFile(join(folder, '.meshgate/last-good.json.1.tmp'), '{"hash":"12');
    await writeFile(join(folder, '.meshgate/dev-cert.1'), '-----BEGIN CERT');
    await first.program.kill();

    const second = await startMeshgate(file);
    expect(second.portOf('http')).toBe(first.portOf('http'));
    expect(await bodyOf(second)).toBe('ok origin');
    expect(await fingerprintOf(second.portOf('https'))).toBe(fingerprint);
    expect(second.program.stderr).not.toMatch(/"level":"(warn|error)"/);
  });

  it('makes anew what was only half written', async () => {
    const origin = await startOrigin();
    const folder = await createFolder();
    const file = await writeConfig(folder, toConfig(origin.port, { listeners: [HTTPS] }));
    const first = await startMeshgate(file);
    await first.program.kill();
    await writeFile(join(folder, '.meshgate/dev-cert'), '-----BEGIN CERT');
    await writeFile(join(folder, '.meshgate/last-good.json'), '{"hash":"12');

    const second = await startMeshgate(file);
    expect(await fingerprintOf(second.portOf('https'))).toMatch(/^[0-9A-F:]{95}$/);
    second.program.signal('SIGTERM');
    expect((await second.program.ended).code).toBe(0);
    expect(
      JSON.parse(await readFile(join(folder, '.meshgate/last-good.json'), 'utf8')),
    ).toHaveProperty('config.routes.0.name', 'app');
  });
});

describe('a data directory that cannot be written', () => {
  it('keeps nobody from being served, and is told in the log: it cannot be made', async () => {
    const origin = await startOrigin();
    const folder = await createFolder();
    await writeFile(join(folder, 'file'), '');
    const config = toConfig(origin.port, {
      dataDir: './file/data',
      listeners: [{ name: 'http', address: '127.0.0.1:0', protocol: 'http' }, HTTPS],
    });
    await expectServing(await startMeshgate(await writeConfig(folder, config)), 'ENOTDIR');
  });

  it('nor where it is on a disk for reading only', async (context) => {
    const disk = await mountSmallDisk(context, 'ro');
    const origin = await startOrigin();
    const config = toConfig(origin.port, {
      dataDir: disk.path,
      listeners: [{ name: 'http', address: '127.0.0.1:0', protocol: 'http' }, HTTPS],
    });
    await expectServing(
      await startMeshgate(await writeConfig(await createFolder(), config)),
      'EROFS',
    );
  });

  it('nor where the disk is full; what was good last stays', async (context) => {
    const disk = await mountSmallDisk(context);
    const origin = await startOrigin();
    const dataDir = join(disk.path, 'data');
    const listeners = [{ name: 'http', address: '127.0.0.1:0', protocol: 'http' }, HTTPS];
    const config = toConfig(origin.port, { dataDir, listeners });
    const folder = await createFolder();
    const file = await writeConfig(folder, config);
    const gateway = await startMeshgate(file);
    await gateway.program.said('stderr', /configuration applied/);
    const before = await untilKept(dataDir);

    await disk.fill();
    await writeConfig(folder, { ...config, trustedProxies: ['10.0.0.0/8'] });
    await expectServing(gateway, 'ENOSPC');
    expect(await readFile(join(dataDir, 'last-good.json'), 'utf8')).toBe(before);
  });
});

async function expectServing(gateway: GatewayProcess, code: string): Promise<void> {
  await gateway.program.said('stderr', new RegExp(`${code}[^\\n]*could not be kept`));
  expect(await bodyOf(gateway)).toBe('ok origin');
  expect(await fingerprintOf(gateway.portOf('https'))).toMatch(/^[0-9A-F:]{95}$/);
  expect((await gateway.readiness()).code).toBe(200);
}

/** The first save begins before the start is told, and may end after. */
async function untilKept(dataDir: string): Promise<string> {
  return eventually(() => readFile(join(dataDir, 'last-good.json'), 'utf8').catch(() => undefined));
}
