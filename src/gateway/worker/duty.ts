/** What a worker does: it makes and runs the configurations that the supervisor sends, and ends when told, or left. */
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { firstEndpoints } from '../../mesh/service/first-endpoints.ts';
import { toClippedLine } from '../config/issue-list.ts';
import type { Config } from '../config/config.ts';
import { GatheredConfig, type ConfigHead } from '../config/config-pieces.ts';
import type { PreparedSnapshot, SnapshotSlot } from '../config/snapshot-slot.ts';
import type { ListenerSet } from '../listener/listener-set.ts';
import type { Channel } from './channel.ts';
import { TOPICS, type FromWorker, type ToWorker, type WorkerStart } from './messages.ts';
import { TakenSockets } from './taken-sockets.ts';

/** The supervisor has all that it knows at hand. */
const DISCOVERED_WITHIN_MS = 1_000;
const UNREFERENCED = { ref: false };

/** The data plane, as far as it is told what to do. */
export interface ServingPlane {
  readonly slot: SnapshotSlot;
  readonly listeners: ListenerSet;
  /** Resolves when the supervisor has said of all services which endpoints they have, as far as it knows. */
  discovered(): Promise<void>;
  /** A configuration is in force. */
  applied(config: Config): void;
  start(): void;
  /** Serves from now on. */
  ready(): void;
  closeTunnels(): void;
  reopenLogs(): void;
  /** Lets go of everything; its listeners have been drained. */
  stop(): Promise<void>;
}

export interface DutyOptions {
  readonly channel: Channel;
  readonly createPlane: (start: WorkerStart, sockets: TakenSockets) => ServingPlane;
  /** Ends the process. */
  readonly exit: (code: number) => void;
}

export interface Duty {
  /** Drains what there is, and ends with that exit code. */
  end(code: number): Promise<void>;
  /** As `end(1)`, having told the supervisor, who has somebody else go on. */
  fail(): Promise<void>;
}

export function takeUpDuty({ channel, createPlane, exit }: DutyOptions): Duty {
  const link = channel.link<FromWorker, ToWorker>(TOPICS.core);
  const sockets = new TakenSockets((counts) => link.send({ type: 'closed', counts }));
  let plane: ServingPlane | undefined;
  /** What is arriving. */
  let arriving: { readonly head: ConfigHead; readonly gathered: GatheredConfig } | undefined;
  let prepared:
    | { readonly config: Config; readonly revision: number; readonly snapshot: PreparedSnapshot }
    | undefined;
  let inForce: { readonly config: Config; readonly revision: number } | undefined;
  let isReady = false;
  let ending: Promise<void> | undefined;

  /** Only in a later turn: what waits meanwhile gets its own. */
  function askForNext(): void {
    void nextTurn().then(() => link.send({ type: 'next' }));
  }

  function configBefore({ before }: Extract<ToWorker, { type: 'head' }>): Config | undefined {
    if (before !== undefined && before !== inForce?.revision)
      throw new Error(`revision ${before} does not run here`);
    return before === undefined ? undefined : inForce!.config;
  }

  async function prepare({
    revision,
    hash,
    ports,
  }: Extract<ToWorker, { type: 'prepare' }>): Promise<void> {
    try {
      const { slot, listeners } = plane!;
      const { head, gathered } = arriving!;
      arriving = undefined;
      const config = gathered.complete(head);
      sockets.ports = ports;
      const next = { config, revision, hash };
      const snapshot = await slot.prepare(next, () => listeners.prepare(config));
      prepared = { config, revision, snapshot };
      // Of a service that the supervisor has let go of meanwhile nothing is said any more.
      await Promise.race([
        plane!.discovered(),
        delay(DISCOVERED_WITHIN_MS, undefined, UNREFERENCED),
      ]);
      link.send({ type: 'prepared', revision });
    } catch (error) {
      const reason = toClippedLine(error instanceof Error ? error.message : String(error));
      link.send({ type: 'refused', revision, reason });
    }
  }

  async function commit(): Promise<void> {
    const { config, revision, snapshot } = prepared!;
    prepared = undefined;
    inForce = { config, revision };
    snapshot.commit();
    plane!.applied(config);
    await firstEndpoints(plane!.slot.current.services.values());
    if (!isReady) plane!.ready();
    isReady = true;
    link.send({ type: 'ready' });
  }

  async function endOnce(code: number): Promise<void> {
    plane?.closeTunnels();
    await plane?.listeners.drain();
    await plane?.stop();
    await channel.flushed();
    exit(code);
  }

  const duty: Duty = {
    end: (code) => (ending ??= endOnce(code)),
    fail() {
      link.send({ type: 'leaving' });
      return duty.end(1);
    },
  };

  function hear(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        plane = createPlane(message, sockets);
        plane.start();
        break;
      case 'head':
        arriving = { head: message.config, gathered: new GatheredConfig(configBefore(message)) };
        askForNext();
        break;
      case 'piece':
        arriving!.gathered.add(message.piece);
        askForNext();
        break;
      case 'prepare':
        void prepare(message);
        break;
      case 'commit':
        void commit();
        break;
      case 'rollback':
        void prepared?.snapshot.rollback();
        prepared = undefined;
        break;
      case 'drain':
        plane?.listeners.drainOne(message.key);
        break;
      case 'stopping':
        plane?.closeTunnels();
        break;
      case 'end':
        void duty.end(0);
        break;
      case 'reopen':
        plane?.reopenLogs();
        break;
      default:
        message satisfies never;
    }
  }

  channel.onSocket = (key, socket) => {
    link.send({ type: 'took' });
    sockets.take(key, socket);
  };
  link.receive(hear);
  link.send({ type: 'hello' });
  return duty;
}
