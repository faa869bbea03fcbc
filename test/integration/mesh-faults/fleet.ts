/** A mesh of real processes: applications, their sidecars and gateways, on a real Redis. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../redis/free-port.ts';
import {
  createFolder,
  eventually,
  Program,
  startMeshgate,
  type GatewayProcess,
} from '../process/gateway-process.ts';

const APPLICATION = join(import.meta.dirname, 'application.ts');
/** The longest pause between two of a registration. */
export const HEARTBEAT_MS = 6_000;
/** Instances come back within the test. */
const SOON_BACK = { interval: '1s', baseEjectionTime: '2s', maxEjectionTime: '4s' };

/** Something that runs, and can be killed and started again as it was. */
export abstract class Member {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  abstract start(): Promise<void>;
  protected abstract get program(): Program;

  async kill(): Promise<void> {
    await this.program.kill();
  }

  /** Told to stop, with time to end what is under way. Fails where it does not end well. */
  async stop(): Promise<void> {
    this.program.signal('SIGTERM');
    const { code, signal } = await this.program.ended;
    if (code !== 0)
      throw new Error(`${this.name} ended with ${code ?? signal}: ${this.program.stderr}`);
  }
}

export class Application extends Member {
  readonly port: number;
  #program: Program | undefined;

  constructor(name: string, port: number) {
    super(name);
    this.port = port;
  }

  protected get program(): Program {
    return this.#program!;
  }

  async start(): Promise<void> {
    const command = [process.execPath, APPLICATION];
    this.#program = new Program([this.name, String(this.port)], { command });
    await this.#program.said('stdout', /listens/);
  }
}

export interface NodeOptions {
  readonly config: Record<string, unknown>;
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A Meshgate: a gateway or a sidecar, by its configuration. */
export class Node extends Member {
  readonly #options: NodeOptions;
  #running: GatewayProcess | undefined;

  constructor(name: string, options: NodeOptions) {
    super(name);
    this.#options = options;
  }

  protected get program(): Program {
    return this.running.program;
  }

  get running(): GatewayProcess {
    if (this.#running === undefined) throw new Error(`${this.name} was not started`);
    return this.#running;
  }

  async start(): Promise<void> {
    const { config, folder, env } = this.#options;
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'meshgate.yaml');
    const document = {
      meshgate: 1,
      node: { name: this.name },
      status: { address: '127.0.0.1:0' },
      telemetry: { accessLog: { format: 'json', path: 'access.log' } },
      ...config,
    };
    // JSON is YAML.
    await writeFile(file, JSON.stringify(document));
    this.#running = await startMeshgate(file, { cwd: folder, ...(env !== undefined && { env }) });
  }

  /** Samples of a metric, by their labels as they are written. */
  async samples(metric: string): Promise<ReadonlyMap<string, number>> {
    const status = `http://127.0.0.1:${this.running.statusPort}/metrics`;
    const text = await (await fetch(status)).text();
    const lines = text.matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, 'gm'));
    return new Map(Array.from(lines, ([, labels = '', value]) => [labels, Number(value)]));
  }

  /** Waits until it sees so many endpoints of the service in the state. */
  async sees(service: string, count: number, state = 'healthy'): Promise<void> {
    const look = async (): Promise<true | undefined> => {
      const samples = await this.samples('meshgate_endpoints');
      const seen = samples.get(`service="${service}",state="${state}"`);
      return seen === count ? true : undefined;
    };
    await eventually(look, 100);
  }
}

/** An application and the sidecar beside it. */
export interface Instance {
  readonly application: Application;
  readonly sidecar: Node;
}

export interface Fleet {
  /** Public port, and the port of the outbound door, of each gateway. */
  readonly gateways: readonly Node[];
  readonly publicPorts: readonly number[];
  readonly outboundPorts: readonly number[];
  readonly instances: readonly Instance[];
  /** Every gateway sees every instance. */
  isWhole(): Promise<void>;
}

export interface FleetOptions {
  /** As in the configuration; one for all, or one for each node by its name. */
  readonly backplane: Record<string, unknown> | ((node: string) => Record<string, unknown>);
  /** Default 3. */
  readonly instances?: number;
  /** Default 1. */
  readonly gateways?: number;
  /** Of a node by its name. */
  readonly env?: (node: string) => Readonly<Record<string, string>> | undefined;
}

/** Each gateway has a public listener and an outbound door; all is gone when the test has finished. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { instances: instanceCount = 3, gateways: gatewayCount = 1, env, backplane } = options;
  const folder = await createFolder();
  const ports = await freePorts(2 * (instanceCount + gatewayCount));
  const take = (): number => ports.pop()!;
  const create = (name: string, config: Record<string, unknown>): Node =>
    new Node(name, {
      folder: join(folder, name),
      config: {
        backplane: typeof backplane === 'function' ? backplane(name) : backplane,
        ...config,
      },
      ...(env?.(name) !== undefined && { env: env(name)! }),
    });
  const instances = Array.from({ length: instanceCount }, (_, i): Instance => {
    const application = new Application(`app-${i}`, take());
    const register = {
      service: 'orders',
      address: `127.0.0.1:${application.port}`,
      inbound: `127.0.0.1:${take()}`,
      healthCheck: { http: {}, interval: '500ms' },
    };
    return { application, sidecar: create(`sidecar-${i}`, { register: [register] }) };
  });
  const publicPorts = Array.from({ length: gatewayCount }, take);
  const outboundPorts = Array.from({ length: gatewayCount }, take);
  const gateways = publicPorts.map((port, i) =>
    create(`gateway-${i}`, {
      listeners: [{ name: 'http', address: `127.0.0.1:${port}` }],
      outbound: { address: `127.0.0.1:${outboundPorts[i]}`, services: ['orders'] },
      services: { orders: { discover: { mesh: 'orders' }, outlierDetection: SOON_BACK } },
      routes: [{ name: 'orders', to: 'orders' }],
    }),
  );
  await Promise.all(instances.map(({ application }) => application.start()));
  await Promise.all([
    ...instances.map(({ sidecar }) => sidecar.start()),
    ...gateways.map((gateway) => gateway.start()),
  ]);
  const fleet: Fleet = {
    gateways,
    publicPorts,
    outboundPorts,
    instances,
    async isWhole() {
      await Promise.all(gateways.map((gateway) => gateway.sees('orders', instanceCount)));
    },
  };
  await fleet.isWhole();
  return fleet;
}
