/** Which worker gets an accepted connection: the one with the fewest, in turns among equals. */
import type { Socket } from 'node:net';

/** What is needed of a worker. */
export interface Taker {
  /** Of the listeners that it has. */
  readonly keys: ReadonlySet<string>;
  /** Open, or on their way to it. */
  readonly connections: number;
  connectionsOf(key: string): number;
  take(key: string, socket: Socket): void;
  /** What it was to get, and did not. */
  giveBack(): readonly (readonly [key: string, socket: Socket])[];
}

/** Where connections of all listeners come together. */
export class HandOff {
  /** The ports that listeners have, by their keys. */
  readonly ports = new Map<string, number>();
  /** Those that have some, or may get some. */
  readonly #all = new Set<Taker>();
  /** Those that may get some. */
  readonly #workers = new Set<Taker>();
  /** Accepted while nobody could take them, by listener. */
  readonly #held = new Map<string, Socket[]>();
  readonly #looks = new Set<() => void>();
  #turn = 0;

  /** It takes connections from now on, of the listeners that it has. */
  join(worker: Taker): void {
    this.#all.add(worker);
    this.#workers.add(worker);
    this.settle();
  }

  /** It takes none any more; what it was to get goes to others. */
  part(worker: Taker): void {
    this.#workers.delete(worker);
    for (const [key, socket] of worker.giveBack()) this.give(key, socket);
  }

  /** It has ended, and with it all that it had. */
  gone(worker: Taker): void {
    this.part(worker);
    this.#all.delete(worker);
    this.changed();
  }

  give(key: string, socket: Socket): void {
    const worker = this.#choose(key);
    if (worker !== undefined) return worker.take(key, socket);
    const held = this.#held.get(key);
    if (held === undefined) this.#held.set(key, [socket]);
    else held.push(socket);
  }

  /** Hands out what waits for somebody to take it: one has joined, or has other listeners now. */
  settle(): void {
    const held = new Map(this.#held);
    // What nobody can take even now is held again.
    this.#held.clear();
    for (const [key, sockets] of held) {
      for (const socket of sockets) this.give(key, socket);
    }
  }

  /** Cuts those of a listener that nobody has taken. */
  drop(key: string): void {
    for (const socket of this.#held.get(key) ?? []) socket.destroy();
    this.#held.delete(key);
    this.changed();
  }

  /** Connections of a listener that are open, or wait for a worker. */
  connectionsOf(key: string): number {
    let count = this.#held.get(key)?.length ?? 0;
    for (const worker of this.#all) count += worker.connectionsOf(key);
    return count;
  }

  /** Resolves when none is left of a listener. */
  async drained(key: string): Promise<void> {
    while (this.connectionsOf(key) > 0) {
      await new Promise<void>((look) => this.#looks.add(look));
    }
  }

  /** Connections have ended. */
  changed(): void {
    for (const look of this.#looks) look();
    this.#looks.clear();
  }

  #choose(key: string): Taker | undefined {
    let chosen: Taker | undefined;
    const workers = [...this.#workers];
    this.#turn = (this.#turn + 1) % Math.max(1, workers.length);
    for (let i = 0; i < workers.length; i++) {
      const worker = workers[(this.#turn + i) % workers.length]!;
      if (!worker.keys.has(key)) continue;
      if (chosen === undefined || worker.connections < chosen.connections) chosen = worker;
    }
    return chosen;
  }
}
