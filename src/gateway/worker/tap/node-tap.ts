/** The supervisor's side of the tap: who reads here sees the exchanges of all workers. */
import { MAX_TAP_READERS, type Tap, type TapRequest, type TapSink } from '../../observe/tap.ts';
import { TapAllowance } from '../../observe/tap-allowance.ts';
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
  readonly allowance: TapAllowance;
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

  function take(worker: Worker, { id, events, drops }: TapNews): void {
    const reader = readers.get(id);
    if (reader === undefined) return;
    const { allowance } = reader;
    if (drops !== undefined) allowance.drop(drops);
    let dropped = 0;
    for (const event of events) {
      if (allowance.isSated) break;
      if (allowance.admits(monotonic())) {
        allowance.take();
        reader.waiting.push({ event, worker });
      } else dropped++;
    }
    giveRoom(worker, id, dropped);
    if (allowance.isSated) tellAll({ order: 'close', id });
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
    if (request.limit === undefined || !reader.allowance.isSated) {
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
        allowance: new TapAllowance(request),
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
        takeDrops: () => reader.allowance.takeDrops(),
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
        if (!reader.allowance.isSated) link.send({ order: 'open', id, request });
      }
      return () => workers.delete(worker);
    },
  };
}
