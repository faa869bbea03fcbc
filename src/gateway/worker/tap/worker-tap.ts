/** A worker's side of the tap: reads its own in the name of those who read at the supervisor. */
import { scheduleTimer, type Schedule } from '../../../mesh/backplane/schedule.ts';
import type { Tap, TapSubscription } from '../../observe/tap.ts';
import type { Link } from '../link.ts';
import { EVENTS_AHEAD, type TapNews, type TapOrder } from './tap-messages.ts';

export interface WorkerTapOptions {
  /** The worker's own. */
  readonly tap: Tap;
  readonly link: Link<TapNews, TapOrder>;
  readonly schedule?: Schedule | undefined;
  /** Runs it soon, and not now; default: when this turn of the event loop has heard all. */
  readonly defer?: (run: () => void) => void;
}

interface Reader {
  readonly id: number;
  readonly subscription: TapSubscription;
  events: string[];
  room: number;
}

/** Drops are told so often, where there are no events to tell them with. */
const TELL_DROPS_MS = 250;

/** Serves the supervisor until the channel is closed. */
export function createWorkerTap(options: WorkerTapOptions): void {
  const { tap, link, schedule = scheduleTimer, defer = setImmediate } = options;
  const readers = new Map<number, Reader>();

  function tell(reader: Reader): void {
    const { id, events, subscription } = reader;
    const drops = subscription.takeDrops();
    if (events.length === 0 && drops === undefined) return;
    reader.events = [];
    link.send({ id, events, drops });
  }

  function tick(): void {
    if (readers.size === 0) return;
    for (const reader of readers.values()) tell(reader);
    schedule(TELL_DROPS_MS, tick);
  }

  function open({ id, request }: TapOrder & { readonly order: 'open' }): void {
    const subscription = tap.subscribe(
      // How many it is to be in all only the supervisor can count.
      { ...request, limit: undefined },
      {
        write(event) {
          if (reader.events.push(event) === 1) defer(() => tell(reader));
          return --reader.room > 0;
        },
        finished() {},
      },
    );
    if (subscription === undefined) return;
    const reader: Reader = { id, subscription, events: [], room: EVENTS_AHEAD };
    if (readers.size === 0) schedule(TELL_DROPS_MS, tick);
    readers.set(id, reader);
  }

  link.receive((order) => {
    if (order.order === 'open') {
      open(order);
      return;
    }
    const reader = readers.get(order.id);
    if (reader === undefined) return;
    if (order.order === 'room') {
      reader.room += order.events;
      reader.subscription.resume();
      return;
    }
    readers.delete(order.id);
    reader.subscription.close();
  });
}
