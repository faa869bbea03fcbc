import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { HandOff, type Taker } from '../../../src/gateway/worker/hand-off.ts';

class FakeWorker implements Taker {
  readonly keys: Set<string>;
  readonly taken: Socket[] = [];
  /** Not sent yet. */
  back: [string, Socket][] = [];
  #counts = new Map<string, number>();

  constructor(...keys: string[]) {
    this.keys = new Set(keys);
  }

  get connections(): number {
    return this.#counts.values().reduce((sum, count) => sum + count, 0);
  }

  connectionsOf(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  take(key: string, socket: Socket): void {
    this.taken.push(socket);
    this.#counts.set(key, this.connectionsOf(key) + 1);
  }

  ended(key: string): void {
    this.#counts.set(key, this.connectionsOf(key) - 1);
  }

  giveBack(): [string, Socket][] {
    return this.back;
  }
}

function give(handOff: HandOff, key: string, count: number): Socket[] {
  const sockets = Array.from({ length: count }, () => new Socket());
  for (const socket of sockets) handOff.give(key, socket);
  return sockets;
}

describe('the hand-off of connections', () => {
  it('gives each to the worker with the fewest, in turns among equals', () => {
    const handOff = new HandOff();
    const workers = [new FakeWorker('a'), new FakeWorker('a'), new FakeWorker('a')];
    for (const worker of workers) handOff.join(worker);
    give(handOff, 'a', 9);
    expect(workers.map(({ connections }) => connections)).toEqual([3, 3, 3]);
    workers[1]!.ended('a');
    workers[1]!.ended('a');
    give(handOff, 'a', 2);
    expect(workers.map(({ connections }) => connections)).toEqual([3, 3, 3]);
  });

  it('gives those of a new listener to workers that have it alone', () => {
    const handOff = new HandOff();
    const [old, current] = [new FakeWorker('a'), new FakeWorker('a', 'b')];
    handOff.join(old);
    handOff.join(current);
    give(handOff, 'b', 4);
    expect([old.connections, current.connections]).toEqual([0, 4]);
  });

  it('holds what nobody can take until somebody can, and counts it', () => {
    const handOff = new HandOff();
    const held = give(handOff, 'a', 3);
    expect(handOff.connectionsOf('a')).toBe(3);
    handOff.join(new FakeWorker('b'));
    const worker = new FakeWorker('a');
    handOff.join(worker);
    expect(worker.taken).toEqual(held);
    expect(handOff.connectionsOf('a')).toBe(3);
  });

  it('gives to others what one that parts was to get; what it has counts until it is gone', async () => {
    const handOff = new HandOff();
    const [leaving, other] = [new FakeWorker('a'), new FakeWorker('a')];
    handOff.join(leaving);
    give(handOff, 'a', 1);
    handOff.join(other);
    const waiting = new Socket();
    leaving.back = [['a', waiting]];
    handOff.part(leaving);
    leaving.back = [];
    expect(other.taken).toEqual([waiting]);
    expect(handOff.connectionsOf('a')).toBe(2);
    give(handOff, 'a', 2);
    expect([leaving.connections, other.connections]).toEqual([1, 3]);

    let isDrained = false;
    const drained = handOff.drained('a').then(() => (isDrained = true));
    for (let i = 0; i < 3; i++) other.ended('a');
    handOff.changed();
    await Promise.resolve();
    expect(isDrained).toBe(false);
    handOff.gone(leaving);
    await drained;
  });

  it('cuts what was held of a listener that is gone', () => {
    const handOff = new HandOff();
    const [held] = give(handOff, 'a', 1);
    handOff.drop('a');
    expect(held!.destroyed).toBe(true);
    expect(handOff.connectionsOf('a')).toBe(0);
  });
});
