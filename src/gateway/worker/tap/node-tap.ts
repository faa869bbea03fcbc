/** The supervisor's side of the tap: who reads here sees the exchanges of all workers. */
import {
  MAX_TAP_READERS,
  type Tap,
  type TapDrops,
  type TapRequest,
  type TapSink,
} from '../../observe/tap.ts';
import type { Link } from '../link.ts';
import type { TapNews, TapOrder } from './tap-messages.ts';

export interface NodeTapOptions {
  readonly monotonic: () => number;
  /** Runs it soon, and not now; default: after what is on the event loop already. */
  readonly defer?: (run: () => void) => void;
}

export interface NodeTap extends Tap {
  /** Reads of a worker too, from now on. Returns its end. */
  attach(link: Link<TapOrder, TapNews>): () => void;
}

interface Worker {
  readonly link: Link<TapOrder, TapNews>;
}

interface Waiting {
  readonly event: string;
  readonly worker: Worker;
}

interface Reader {
  readonly id: number;
  readonly request: TapRequest;
  readonly sink: TapSink;
  /** At most what workers send ahead. */
  waiting: Waiting[];
  accepted: number;
  secondBeganMs: number;
  inSecond: number;
  droppedSlow: number;
  droppedRate: number;
  isBlocked: boolean;
}

/**
 * Workers choose, sample, limit and write, so that their traffic alone pays for it; here what they
 * send is limited once more, since the rate and the number that a reader asked for are of the node.
 */
export function createNodeTap({ monotonic, defer = setImmediate }: NodeTapOptions): NodeTap {
  const workers = new Set<Worker>();
  const readers = new Map<number, Reader>();
  let nextId = 0;

  function tellAll(order: TapOrder): void {
    for (const { link } of workers) link.send(order);
  }

  function giveRoom(worker: Worker, id: number, events: number): void {
    if (events > 0 && workers.has(worker)) worker.link.send({ order: 'room', id, events });
  }

  /** False: it is more than was asked for. */
  function admit(reader: Reader): boolean {
    const nowMs = monotonic();
    if (nowMs - reader.secondBeganMs >= 1000) {
      reader.secondBeganMs = nowMs;
      reader.inSecond = 0;
    }
    if (reader.inSecond >= reader.request.ratePerSecond) {
      reader.droppedRate++;
      return false;
    }
    reader.inSecond++;
    return true;
  }

  function take(worker: Worker, { id, events, drops }: TapNews): void {
    const reader = readers.get(id);
    if (reader === undefined) return;
    reader.droppedSlow += drops?.slow ?? 0;
    reader.droppedRate += drops?.rate ?? 0;
    let dropped = 0;
    for (const event of events) {
      if (isSated(reader)) break;
      if (admit(reader)) {
        reader.accepted++;
        reader.waiting.push({ event, worker });
      } else dropped++;
    }
    giveRoom(worker, id, dropped);
    if (isSated(reader)) tellAll({ order: 'close', id });
    pass(reader);
  }

  function pass(reader: Reader): void {
    const { id, request, sink } = reader;
    const room = new Map<Worker, number>();
    let passed = 0;
    for (const { event, worker } of reader.waiting) {
      if (reader.isBlocked || !readers.has(id)) break;
      passed++;
      room.set(worker, (room.get(worker) ?? 0) + 1);
      if (!sink.write(event)) reader.isBlocked = true;
    }
    if (!readers.has(id)) return;
    reader.waiting = reader.waiting.slice(passed);
    if (request.limit === undefined || !isSated(reader)) {
      for (const [worker, events] of room) giveRoom(worker, id, events);
    } else if (reader.waiting.length === 0) {
      readers.delete(id);
      sink.finished();
    }
  }

  return {
    subscribe(request, sink) {
      if (readers.size >= MAX_TAP_READERS) return undefined;
      const id = nextId++;
      const reader: Reader = {
        id,
        request,
        sink,
        waiting: [],
        accepted: 0,
        secondBeganMs: -Infinity,
        inSecond: 0,
        droppedSlow: 0,
        droppedRate: 0,
        isBlocked: false,
      };
      readers.set(id, reader);
      tellAll({ order: 'open', id, request });
      return {
        resume() {
          if (!reader.isBlocked) return;
          reader.isBlocked = false;
          defer(() => {
            if (readers.has(id)) pass(reader);
          });
        },
        takeDrops(): TapDrops | undefined {
          const { droppedSlow: slow, droppedRate: rate } = reader;
          if (slow === 0 && rate === 0) return undefined;
          reader.droppedSlow = 0;
          reader.droppedRate = 0;
          return { slow, rate };
        },
        close() {
          if (readers.delete(id)) tellAll({ order: 'close', id });
        },
      };
    },
    attach(link) {
      const worker: Worker = { link };
      workers.add(worker);
      link.receive((news) => take(worker, news));
      for (const reader of readers.values()) {
        const { id, request } = reader;
        if (!isSated(reader)) link.send({ order: 'open', id, request });
      }
      return () => workers.delete(worker);
    },
  };
}

/** It has been given as many as it asked for. */
function isSated({ accepted, request: { limit } }: Reader): boolean {
  return limit !== undefined && accepted >= limit;
}
