/** The demo: two small services behind the gateway, and commands to try them with. */
import { dirname, join } from 'node:path';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import { toBanner, type DemoDoors } from './banner.ts';
import { DEMO_INSTANCES, type DemoInstance } from './instances.ts';
import { startListening, type ListeningInstance } from './listening.ts';
import { serveOrders } from './orders-service.ts';
import { createSigningKey } from './signing-key.ts';
import { serveUsers } from './users-service.ts';

export interface StartDemoOptions {
  /** Absolute path. The public key is written where this file looks for it. */
  readonly configFile: string;
  readonly log: Log;
  /** Default: those that `config/meshgate.yaml` names. A port 0 lets the system choose one. */
  readonly instances?: readonly DemoInstance[];
}

export interface Demo {
  /** In the order of the options, with the ports that they have got. */
  readonly instances: readonly DemoInstance[];
  /** Commands to paste into a shell, with a token that is good for an hour. */
  banner(doors?: DemoDoors): Promise<string>;
  /** Cuts off whoever is still connected. */
  stop(): Promise<void>;
}

/** Where the gateway's addresses are by default. */
const DEFAULT_DOORS: DemoDoors = {
  http: 'http://localhost:8000',
  https: 'https://localhost:8443',
  status: 'http://127.0.0.1:8007',
};

/** Rejects where a port is taken, or the key cannot be written. */
export async function startDemo(options: StartDemoOptions): Promise<Demo> {
  const { configFile, log } = options;
  const key = await createSigningKey(join(dirname(configFile), '.meshgate', 'demo', 'jwks.json'));
  const listening: ListeningInstance[] = [];
  const stop = async () => {
    await Promise.all(listening.map((one) => one.stop()));
  };
  try {
    for (const wanted of options.instances ?? DEMO_INSTANCES) {
      const started = await startListening(wanted);
      listening.push(started);
      const { server, instance } = started;
      if (instance.service === 'users') serveUsers(server, instance);
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
    banner: async (doors = DEFAULT_DOORS) => toBanner(doors, await key.issueToken()),
    stop,
  };
}
