/** The worker's side of a hand-off: gives its listeners the connections that the supervisor has accepted. */
import type { Socket } from 'node:net';
import type { Acceptor, AcceptorEvents } from '../listener/acceptor.ts';

interface Taker {
  readonly onConnection: AcceptorEvents['onConnection'];
  open: number;
  onEmpty: (() => void) | undefined;
}

export class TakenSockets {
  /** The ports that the supervisor has, by the listeners' keys. */
  ports: ReadonlyMap<string, number> = new Map();
  readonly #takers = new Map<string, Taker>();
  readonly #onClosed: (counts: ReadonlyMap<string, number>) => void;
  /** Not told yet. */
  #closed = new Map<string, number>();

  /** `onClosed`: hears, once a turn of the loop, how many connections of which listener have ended. */
  constructor(onClosed: (counts: ReadonlyMap<string, number>) => void) {
    this.#onClosed = onClosed;
  }

  /** Of the listener of this key. */
  acceptor(key: string): Acceptor {
    let taker: Taker | undefined;
    return {
      open: (config, { onConnection }) => {
        taker = { onConnection, open: 0, onEmpty: undefined };
        this.#takers.set(key, taker);
        return Promise.resolve(this.ports.get(key) ?? config.port);
      },
      // The supervisor has counted them, those of all workers together.
      limit: () => undefined,
      close: () =>
        new Promise((resolve) => {
          if (taker === undefined) return resolve();
          if (this.#takers.get(key) === taker) this.#takers.delete(key);
          if (taker.open === 0) resolve();
          else taker.onEmpty = resolve;
        }),
    };
  }

  /** `socket`: undefined where the connection was gone before it got here. */
  take(key: string, socket: Socket | undefined): void {
    const taker = this.#takers.get(key);
    if (socket === undefined || taker === undefined) {
      socket?.destroy();
      this.#count(key);
      return;
    }
    // A socket that comes by message is made without it.
    socket.allowHalfOpen = true;
    taker.open++;
    socket.once('close', () => {
      this.#count(key);
      if (--taker.open === 0) taker.onEmpty?.();
    });
    taker.onConnection(socket);
  }

  #count(key: string): void {
    if (this.#closed.size === 0) {
      setImmediate(() => {
        const counts = this.#closed;
        this.#closed = new Map();
        this.#onClosed(counts);
      });
    }
    this.#closed.set(key, (this.#closed.get(key) ?? 0) + 1);
  }
}
