/** Opens a real listener on a free port for a test, and closes it after. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type {
  ListenerConfig,
  ListenerLimits,
} from '../../../src/gateway/config/listener-config.ts';
import {
  createListener,
  type Listener,
  type ListenerOptions,
} from '../../../src/gateway/listener/listener.ts';
import type { SharedCertificates } from '../../../src/gateway/listener/shared-certificates.ts';
import type { Clock, Log } from '../../../src/plugins/sdk/plugin-context.ts';
import { FakeDoor } from '../exchange/fake-door.ts';

export const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export function createLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push({ level, fields, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface Opened {
  readonly door: FakeDoor;
  readonly listener: Listener;
  readonly port: number;
  readonly dataDir: string;
  readonly log: ReturnType<typeof createLog>;
  readonly options: ListenerOptions;
}

export interface OpenOptions extends Partial<Omit<ListenerConfig, 'limits' | 'door'>> {
  readonly limits?: Partial<ListenerLimits>;
  readonly trusts?: (address: string) => boolean;
  readonly door?: FakeDoor;
  /** Of all listeners. */
  readonly certificates?: SharedCertificates;
}

export const defaultLimits: ListenerLimits = {
  maxHeaderBytes: 32 * 1024,
  maxHeaderFields: 100,
  maxUrlBytes: 8 * 1024,
  maxBodyBytes: 10 * 1024 * 1024,
  headerTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  minBodyRate: 240,
  maxConnections: 1000,
  maxStreams: 100,
  maxRequestsPerConnection: 0,
  drainMs: 10_000,
};

export function toConfig(options: OpenOptions): ListenerConfig {
  const { limits, trusts: _trusts, door: _door, certificates: _certificates, ...rest } = options;
  return {
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    protocol: 'http',
    hosts: [],
    redirectHttps: undefined,
    proxyProtocol: false,
    lane: 'auto',
    tls: undefined,
    ...rest,
    limits: { ...defaultLimits, ...limits },
  };
}

export const selfSigned = {
  certificates: [],
  selfSigned: ['localhost', '127.0.0.1'],
  clientCa: undefined,
  clientAuth: undefined,
  minVersion: '1.2',
} as const;

export async function openListener(options: OpenOptions = {}): Promise<Opened> {
  const dataDir = await mkdtemp(join(tmpdir(), 'meshgate-listener-'));
  const door = options.door ?? new FakeDoor();
  const log = createLog();
  const listenerOptions: ListenerOptions = {
    config: toConfig(options),
    dataDir,
    trusts: options.trusts ?? (() => false),
  };
  const listener = createListener(listenerOptions, {
    door,
    log,
    clock,
    certificates: options.certificates,
  });
  const { port } = await listener.start();
  onTestFinished(async () => {
    await listener.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  return { door, listener, port, dataDir, log, options: listenerOptions };
}
