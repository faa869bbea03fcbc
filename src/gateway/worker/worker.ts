/** A worker as the supervisor sees it: one process, what it runs, and the connections it has. */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ConfigPiece } from '../config/config-pieces.ts';
import { Channel } from './channel.ts';
import type { Link } from './link.ts';
import { TOPICS, type FromWorker, type ToWorker, type WorkerStart } from './messages.ts';
import type { SentConfig } from './sent-config.ts';

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `gone`: it ended, or was ended because it did not answer. */
export type PrepareResult =
  | { readonly outcome: 'prepared' | 'gone' }
  | { readonly outcome: 'refused'; readonly reason: string };

export interface WorkerEvents {
  /** It takes sockets from now on. */
  readonly onReady: (worker: Worker) => void;
  /** It wants no more, by its own will. */
  readonly onLeaving: (worker: Worker) => void;
  readonly onClosed: () => void;
}

/** One that says nothing for so long is of no use. */
const ANSWER_MS = 30_000;
/** What is left to do after the last connection has ended. */
const END_MS = 10_000;

export class Worker {
  readonly channel: Channel;
  readonly ended: Promise<WorkerExit>;
  /** Its listeners, by what it has committed last. */
  keys: ReadonlySet<string> = new Set();
  isReady = false;
  /** It has been told to end, or has said that it will. */
  isLeaving = false;
  /** The supervisor wanted it to end. */
  wasTold = false;
  /** Connections it has, or is about to get. */
  connections = 0;
  readonly #process: ChildProcess;
  readonly #core: Link<ToWorker, FromWorker>;
  readonly #events: WorkerEvents;
  readonly #connections = new Map<string, number>();
  /** To be handed over one after the other: whatever else is sent would wait for all of them. */
  #waiting: (readonly [key: string, socket: Socket | undefined])[] = [];
  /** Sent, and not taken yet. */
  #handing: readonly [key: string, socket: Socket] | undefined;
  #hasEnded = false;
  #pieces: Iterator<ConfigPiece | { readonly last: SentConfig }> | undefined;
  #answered: ((result: PrepareResult) => void) | undefined;
  readonly #start: WorkerStart;
  /** What it runs. */
  #committed: SentConfig | undefined;
  readonly #hello = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();

  constructor(process: ChildProcess, start: WorkerStart, events: WorkerEvents) {
    this.#process = process;
    this.#start = start;
    this.#events = events;
    this.channel = new Channel(process);
    this.#core = this.channel.link(TOPICS.core);
    this.#core.receive((message) => this.#hear(message));
    this.ended = new Promise((resolve) => {
      process.once('exit', (code, signal) => {
        // What it said last is still to be read.
        if (process.connected) process.once('disconnect', () => resolve({ code, signal }));
        else resolve({ code, signal });
      });
      process.on('error', () => {
        // It could not even be started; what else there is to hear is about a message that came too late.
        if (process.pid === undefined) resolve({ code: null, signal: null });
      });
    });
    void this.ended.then(() => {
      this.#hasEnded = true;
      this.isReady = false;
      this.isLeaving = true;
      this.#answered?.({ outcome: 'gone' });
      this.#hello.resolve();
      this.#ready.resolve();
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  connectionsOf(key: string): number {
    return this.#connections.get(key) ?? 0;
  }

  /** Sends a configuration and has it made, beside the one that it runs. */
  async prepare(sent: SentConfig): Promise<PrepareResult> {
    const timer = setTimeout(() => this.kill(), ANSWER_MS);
    try {
      await this.#hello.promise;
      if (this.isLeaving) return { outcome: 'gone' };
      return await new Promise((answered) => {
        this.#answered = answered;
        const before = this.#committed;
        this.#pieces = toSteps(sent, before);
        this.#core.send({ type: 'head', config: sent.head, before: before?.revision });
      });
    } finally {
      this.#answered = undefined;
      clearTimeout(timer);
    }
  }

  commit(sent: SentConfig): void {
    const { revision, ports } = sent;
    this.#committed = sent;
    this.keys = new Set(ports.keys());
    this.#core.send({ type: 'commit', revision });
  }

  rollback({ revision }: SentConfig): void {
    this.#core.send({ type: 'rollback', revision });
  }

  /** Resolves when it takes sockets, or has ended. */
  async untilReady(): Promise<boolean> {
    const timer = setTimeout(() => this.kill(), ANSWER_MS);
    await this.#ready.promise;
    clearTimeout(timer);
    return this.isReady;
  }

  take(key: string, socket: Socket): void {
    this.connections++;
    this.#connections.set(key, this.connectionsOf(key) + 1);
    if (this.#handing !== undefined) this.#waiting.push([key, socket]);
    else this.#hand(key, socket);
  }

  /** Those that it was to get and has not been sent: somebody else takes them. */
  giveBack(): readonly (readonly [key: string, socket: Socket])[] {
    const back = this.#waiting.filter((one): one is [string, Socket] => one[1] !== undefined);
    // A worker that took one has said so before anything else happened to it.
    if (this.#hasEnded && this.#handing !== undefined) {
      back.unshift([...this.#handing]);
      this.#handing = undefined;
    }
    this.#waiting = [];
    for (const [key] of back) this.#closed(key, 1);
    return back;
  }

  /** One listener's connections end, those that it is yet to get among them. */
  drain(key: string): void {
    if (this.#handing !== undefined) this.#waiting.push([key, undefined]);
    else this.#core.send({ type: 'drain', key });
  }

  tell(message: Extract<ToWorker, { type: 'stopping' | 'reopen' }>): void {
    this.#core.send(message);
  }

  /** It drains all it has, and ends. */
  leave(): Promise<WorkerExit> {
    this.isLeaving = true;
    this.wasTold = true;
    this.#core.send({ type: 'end' });
    return this.ended;
  }

  /** As `leave`, where everything is drained already. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.kill(), END_MS);
    await this.leave();
    clearTimeout(timer);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #hand(key: string, socket: Socket): void {
    this.#handing = [key, socket];
    this.channel.sendSocket(key, socket);
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'hello':
        this.#core.send({ type: 'start', ...this.#start });
        this.#hello.resolve();
        break;
      case 'next':
        this.#sendNext();
        break;
      case 'prepared':
        this.#answered?.({ outcome: 'prepared' });
        break;
      case 'refused':
        this.#answered?.({ outcome: 'refused', reason: message.reason });
        break;
      case 'ready':
        if (this.isReady || this.isLeaving) break;
        this.isReady = true;
        this.#ready.resolve();
        this.#events.onReady(this);
        break;
      case 'took':
        // This process's copy: the connection goes on.
        this.#handing?.[1].destroy();
        this.#handing = undefined;
        this.#handNext();
        break;
      case 'closed':
        for (const [key, count] of message.counts) this.#closed(key, count);
        this.#events.onClosed();
        break;
      case 'leaving':
        this.isLeaving = true;
        this.#events.onLeaving(this);
        break;
      default:
        message satisfies never;
    }
  }

  #handNext(): void {
    for (;;) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const [key, socket] = next;
      if (socket !== undefined) return this.#hand(key, socket);
      this.#core.send({ type: 'drain', key });
    }
  }

  #sendNext(): void {
    const step = this.#pieces?.next();
    if (step === undefined || step.done === true) return;
    if ('last' in step.value) {
      const { revision, hash, ports } = step.value.last;
      this.#core.send({ type: 'prepare', revision, hash, ports });
    } else this.#core.send({ type: 'piece', piece: step.value });
  }

  #closed(key: string, count: number): void {
    this.connections -= count;
    const left = this.connectionsOf(key) - count;
    if (left > 0) this.#connections.set(key, left);
    else this.#connections.delete(key);
  }
}

function* toSteps(
  sent: SentConfig,
  before: SentConfig | undefined,
): Generator<ConfigPiece | { readonly last: SentConfig }> {
  yield* sent.pieces(before);
  yield { last: sent };
}
