/** The demo: two small services behind the gateway, and commands to try them with. */
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import { toBanner, type DemoDoors } from './banner.ts';
import { DEMO_INSTANCES, type DemoInstance } from './instances.ts';
import { startListening, type ListeningInstance } from './listening.ts';
import { serveOrders } from './orders-service.ts';
import { createSigningKey } from './signing-key.ts';
import { serveUsers, type OutboundDoor } from './users-service.ts';

export interface StartDemoOptions {
  /** Absolute path. The public key is written where this file looks for it. */
  readonly configFile: string;
  readonly log: Log;
  /** Default: those that `config/meshgate.yaml` names. A port 0 lets the system choose one. */
  readonly instances?: readonly DemoInstance[];
  /** Default: the one that `config/meshgate.yaml` names. */
  readonly outbound?: OutboundDoor;
}

export interface Demo {
  /** In the order of the options, with the ports that they have got. */
  readonly instances: readonly DemoInstance[];
  /** Commands to paste into a shell, with a token that is good for an hour; once the mesh knows the instances. */
  banner(doors: Omit<DemoDoors, 'outbound'>): Promise<string>;
  /** Cuts off whoever is still connected. */
  stop(): Promise<void>;
}

/** Where the gateway's addresses are by default. */
export const DEFAULT_DOORS: Omit<DemoDoors, 'outbound'> = {
  http: 'http://localhost:8000',
  https: 'https://localhost:8443',
  status: 'http://127.0.0.1:8007',
};

const READY_TRIES = 100;
const READY_POLL_MS = 50;
const DEFAULT_OUTBOUND: OutboundDoor = { host: '127.0.0.1', port: 4140 };

/** Rejects where a port is taken, or the key cannot be written. */
export async function startDemo(options: StartDemoOptions): Promise<Demo> {
  const { configFile, log, outbound = DEFAULT_OUTBOUND } = options;
  const keyFile = join(dirname(configFile), '.meshgate', 'demo', 'jwks.json');
  const key = await createSigningKey(keyFile).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(
      `the demo cannot write ${keyFile} (${code}), the key of its tokens: give it a checkout that it may write`,
      { cause },
    );
  });
  const listening: ListeningInstance[] = [];
  const stop = async () => {
    await Promise.all(listening.map((one) => one.stop()));
  };
  try {
    for (const wanted of options.instances ?? DEMO_INSTANCES) {
      const started = await startListening(wanted);
      listening.push(started);
      const { server, instance } = started;
      if (instance.service === 'users') serveUsers(server, instance, outbound);
      else serveOrders(server, instance);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const instances = listening.map(({ instance }) => instance);
  log.info({ ports: instances.map(({ port }) => port) }, 'the services of the demo are up');
  return {
    instances,
    async banner(doors) {
      const orders = instances.filter(({ service }) => service === 'orders');
      await ordersRegistered(doors.status, orders.length);
      return toBanner({ ...doors, outbound: toProxyUrl(outbound) }, await key.issueToken());
    },
    stop,
  };
}

const toProxyUrl = ({ host, port }: OutboundDoor): string => `http://${host}:${port}`;

/**
 * They are registered once they are seen to be well, which is a moment after the gateway is up. It
 * is asked for, and not tried: a request that fails would stand in the gateway's log.
 */
async function ordersRegistered(status: string, count: number): Promise<void> {
  const wanted = `meshgate_endpoints{service="orders",state="healthy"} ${count}\n`;
  for (let tries = 0; tries < READY_TRIES; tries++) {
    const metrics = await fetch(`${status}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    );
    if (metrics.includes(wanted)) return;
    await delay(READY_POLL_MS);
  }
}
