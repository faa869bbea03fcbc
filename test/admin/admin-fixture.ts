/** An admin API over loopback on a backplane with instances in it. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { Ajv } from 'ajv';
import { afterEach } from 'vitest';
import { createAdminServer, type AdminServerOptions } from '../../src/admin/admin-server.ts';
import { Problem } from '../../src/admin/problem.ts';
import { createTap, type TapSource } from '../../src/gateway/observe/tap.ts';
import type { Backplane } from '../../src/mesh/backplane/backplane.ts';
import { createEmbeddedBackplane } from '../../src/mesh/backplane/embedded/embedded-backplane.ts';
import type { InstanceSpec } from '../../src/mesh/registry/instance.ts';
import { Registration } from '../../src/mesh/registry/registration.ts';
import { createRegistry, type Registry } from '../../src/mesh/registry/registry.ts';
import { CLOCK, SILENT } from '../contracts/backplane-fixture.ts';
import { createFolder } from '../gateway/config/config-file.ts';

/** Whether an answer's body is a problem as the API describes it. */
export const isProblem = new Ajv({ strict: false }).compile(Problem);

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown>;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text goes as it is, another value as JSON. */
  readonly body?: unknown;
  /** Where the connection comes from. */
  readonly localAddress?: string;
}

export interface TestAdmin {
  readonly port: number;
  readonly url: string;
  readonly token: string;
  readonly dataDir: string;
  readonly backplane: Backplane;
  readonly registry: Registry;
  /** With the token, unless it says otherwise. */
  ask(path: string, ask?: Ask): Promise<AdminAnswer>;
  register(service: string, instance: InstanceSpec): Promise<Registration>;
  stop(): Promise<void>;
}

/** Of a node without a configuration; what goes by is what the test offers. */
export function createTestTap(): TapSource {
  const secrets = { headers: new Set<string>(), queries: new Set<string>() };
  return createTap({ random: Math.random, secrets: () => secrets });
}

const running = new Set<() => Promise<void>>();

/** To be called at the top of a test file: stops what a test started. */
export function stopAdminsAfterEach(): void {
  afterEach(async () => {
    for (const stop of running) await stop();
  });
}

export async function startAdmin(
  options: Partial<AdminServerOptions> = {},
  wrap: (backplane: Backplane) => Backplane = (backplane) => backplane,
): Promise<TestAdmin> {
  const directory = await createFolder();
  const own = createEmbeddedBackplane({ directory, clock: CLOCK, log: SILENT });
  await own.start();
  const backplane = wrap(own);
  const registry = createRegistry(backplane);
  const dataDir = options.dataDir ?? (await createFolder());
  const server = createAdminServer({
    address: { host: '127.0.0.1', port: 0 },
    registry,
    backplane,
    dataDir,
    tap: createTestTap(),
    clock: CLOCK,
    log: SILENT,
    ...options,
  });
  const started = await server.start();
  if (started === undefined) throw new Error('the admin API is closed');
  const { port, tokenFile } = started;
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const registrations: Registration[] = [];
  const stop = async (): Promise<void> => {
    if (!running.delete(stop)) return;
    await server.stop();
    await Promise.all(registrations.map((registration) => registration.deregister()));
    await own.close();
  };
  running.add(stop);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    token,
    dataDir,
    backplane,
    registry,
    ask: (path, ask = {}) =>
      send(port, path, {
        ...ask,
        headers: { authorization: `Bearer ${token}`, ...ask.headers },
      }),
    async register(service, instance) {
      const registration = new Registration({
        backplane: own,
        service,
        instance,
        monotonic: CLOCK.monotonic,
        random: Math.random,
        log: SILENT,
      });
      registrations.push(registration);
      await registration.start();
      return registration;
    },
    stop,
  };
}

/** By node:http, which sends the Host that it is told. */
export function send(port: number, path: string, ask: Ask = {}): Promise<AdminAnswer> {
  const { method = 'GET', headers = {}, body, localAddress } = ask;
  const payload = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        localAddress,
        headers: {
          ...(payload !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
      },
      (response) => {
        const { statusCode, headers: fields } = response;
        readText(response)
          .then((text) => {
            const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
            resolve({ status: statusCode!, headers: fields, body: parsed });
          })
          .catch(reject);
      },
    );
    sent.on('error', reject);
    sent.end(payload);
  });
}
