/** What connections over TLS cost that nobody uses. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPeer, type BenchContext } from '../bench-context.ts';
import { PROXY_CORE } from '../cores.ts';
import { findFreePorts } from '../free-port.ts';
import { readHeapState } from '../heap-state.ts';
import { readCpuTime, readResidentBytes } from '../measure.ts';
import { heapSocket, HEAP_OPTIONS } from '../peers/meshgate.ts';
import type { Work } from '../peers/peer.ts';
import { NOT_MEASURED, type Scenario, type ScenarioResult } from '../scenarios/scenario.ts';

const CONNECTIONS = 10_000;
const OPEN_TIMEOUT_MS = 120_000;
/** Until what handshakes have left behind is collected. */
const SETTLE_MS = 5_000;
const WINDOW_MS = 10_000;
const folder = import.meta.dirname;

/** A server under test. */
interface Server {
  readonly label: string;
  readonly pid: number;
  readonly port: number;
  readonly heapSocket: string;
  stop(): Promise<void>;
}

interface Look {
  readonly residentBytes: number;
  readonly liveBytes: number;
  readonly externalBytes: number;
}

interface Cost {
  readonly label: string;
  readonly opened: number;
  /** Per connection. */
  readonly residentKib: number;
  readonly heapKib: number;
  readonly externalKib: number;
  /** Of a core, while they are open. */
  readonly cpuPercent: number;
}

export const idleTls: Scenario = {
  name: 'scale-idle-tls',
  summary: `${CONNECTIONS.toLocaleString('en')} connections over TLS 1.3 that have had one request each and then nothing: memory for each once garbage is collected, and CPU of all.`,

  async run(context) {
    if (!context.peers.has('meshgate')) return NOT_MEASURED;
    const costs: Cost[] = [];
    for (const start of [
      startMeshgate,
      startTask('node:tls', 'tls-server-task.ts'),
      startTask('node:https', 'https-server-task.ts'),
    ]) {
      const server = await start(context);
      try {
        costs.push(await measure(server));
      } finally {
        await server.stop();
      }
    }
    return toResult(costs);
  },
};

async function startMeshgate(context: BenchContext): Promise<Server> {
  const work: Work = {
    routes: 1,
    tls: true,
    body: 'small',
    heapProbe: true,
    idleConnections: CONNECTIONS,
  };
  const running = await startPeer(context, 'meshgate', work, [{ path: '/' }]);
  const { site, pids } = running;
  return {
    label: 'meshgate',
    pid: pids[0]!,
    port: site.port,
    heapSocket: heapSocket(site),
    stop: () => running.stop(),
  };
}

function startTask(label: string, task: string): (context: BenchContext) => Promise<Server> {
  return async ({ processes, directory, certificateFile }) => {
    const [port] = (await findFreePorts(1)) as [number];
    const socket = join(directory, `${task}.sock`);
    const server = await processes.start(
      [process.execPath, ...HEAP_OPTIONS, join(folder, task), String(port), certificateFile],
      join(directory, `${task}.log`),
      { core: PROXY_CORE, env: { NODE_ENV: 'production', BENCH_HEAP_SOCKET: socket } },
    );
    await untilListening(port);
    return { label, pid: server.pid, port, heapSocket: socket, stop: () => server.stop() };
  };
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await delay(100);
  }
  throw new Error(`nobody listens on ${port}`);
}

async function measure(server: Server): Promise<Cost> {
  const before = await look(server);
  const client = fork(join(folder, 'idle-tls-task.ts'), [String(server.port), String(CONNECTIONS)]);
  try {
    const signal = AbortSignal.timeout(OPEN_TIMEOUT_MS);
    await once(client, 'message', { signal });
    await delay(SETTLE_MS);
    const after = await look(server);
    const cpuBefore = await readCpuTime([server.pid]);
    await delay(WINDOW_MS);
    const cpuAfter = await readCpuTime([server.pid]);
    client.send('count');
    const [{ opened }] = (await once(client, 'message')) as [{ opened: number }];
    const per = (figure: keyof Look): number =>
      (after[figure] - before[figure]) / CONNECTIONS / 1024;
    const cpuMs = cpuAfter.userMs + cpuAfter.systemMs - cpuBefore.userMs - cpuBefore.systemMs;
    return {
      label: server.label,
      opened,
      residentKib: per('residentBytes'),
      heapKib: per('liveBytes'),
      externalKib: per('externalBytes'),
      cpuPercent: (cpuMs / WINDOW_MS) * 100,
    };
  } finally {
    client.kill('SIGKILL');
  }
}

async function look({ pid, heapSocket: socket }: Server): Promise<Look> {
  const { liveBytes, externalBytes } = await readHeapState(socket);
  return { residentBytes: await readResidentBytes([pid]), liveBytes, externalBytes };
}

function toResult(costs: readonly Cost[]): ScenarioResult {
  const [own, baseline] = costs as [Cost, Cost];
  return {
    table: [
      ['', 'resident KiB each', 'heap KiB each', 'external KiB each', 'CPU % of all'],
      ...costs.map(({ label, residentKib, heapKib, externalKib, cpuPercent }) => [
        label,
        residentKib.toFixed(1),
        heapKib.toFixed(1),
        externalKib.toFixed(1),
        cpuPercent.toFixed(1),
      ]),
    ],
    notes: [
      `Resident memory is ${(own.residentKib / baseline.residentKib).toFixed(2)} times that of node:tls. What OpenSSL has for a connection is in it, and in neither of the two others.`,
    ],
    failures: costs
      .filter(({ opened }) => opened !== CONNECTIONS)
      .map(({ label, opened }) => `${label} kept ${opened} connections open`),
    data: costs,
  };
}
