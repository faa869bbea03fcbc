/** The channel between the supervisor and a worker: messages in order, shared out by topics, and sockets. */
import type { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Link } from './link.ts';

/** What a `ChildProcess` is to its parent, and `process` to a child. */
export type Port = Pick<ChildProcess, 'connected' | 'send'> & Pick<EventEmitter, 'on'>;

type Envelope = readonly [topic: string, message: unknown];

interface Topic {
  listener: ((message: unknown) => void) | undefined;
  /** They came before there was a listener. */
  readonly waiting: unknown[];
}

/** A socket goes with the key of its listener; undefined: it was gone before it could be sent. */
export type SocketListener = (key: string, socket: Socket | undefined) => void;

const SOCKETS = 'socket';
/** Nobody listens to it. */
const NOTHING = 'nothing';

export class Channel {
  /** Hears of each socket that arrives. */
  onSocket: SocketListener = (_key, socket) => socket?.destroy();
  readonly #port: Port;
  readonly #topics = new Map<string, Topic>();

  constructor(port: Port) {
    this.#port = port;
    port.on('message', (envelope: Envelope, handle?: Socket) => this.#receive(envelope, handle));
  }

  /** One side of a topic; what it sends is heard by the same topic's on the other side. */
  link<Out, In>(topic: string): Link<Out, In> {
    return {
      send: (message) => this.#send([topic, message]),
      receive: (listener) => {
        const own = this.#topic(topic);
        own.listener = listener as (message: unknown) => void;
        for (const message of own.waiting.splice(0)) own.listener(message);
      },
    };
  }

  /**
   * Gives a connection away, of which nothing may have been read. It stays open here too, until it
   * is destroyed: the other side may die before it has taken it.
   */
  sendSocket(key: string, socket: Socket): void {
    this.#send([SOCKETS, key], socket);
  }

  /** Resolves when all that was sent is out of this process, or nobody is there to get it. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#port.connected) resolve();
      else this.#port.send([NOTHING, undefined], undefined, undefined, () => resolve());
    });
  }

  #send(envelope: Envelope, socket?: Socket): void {
    // With nobody at the other end, whoever cares hears of that by 'exit' or 'disconnect'.
    if (!this.#port.connected) return;
    this.#port.send(envelope, socket, { keepOpen: true }, () => undefined);
  }

  #receive([name, message]: Envelope, handle: Socket | undefined): void {
    if (name === SOCKETS) {
      this.onSocket(message as string, handle);
      return;
    }
    if (name === NOTHING) return;
    const topic = this.#topic(name);
    if (topic.listener === undefined) topic.waiting.push(message);
    else topic.listener(message);
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) this.#topics.set(name, (topic = { listener: undefined, waiting: [] }));
    return topic;
  }
}
