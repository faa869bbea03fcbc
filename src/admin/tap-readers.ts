/** Those who watch traffic: each has a stream that tells what it missed, and ends with its token. */
import type { Readable } from 'node:stream';
import type { Tap, TapRequest, TapSubscription } from '../gateway/observe/tap.ts';
import type { Schedule } from '../mesh/backplane/schedule.ts';
import { createEventStream, type EventStream } from './event-stream.ts';

export interface TapReaders {
  /** Undefined: there are as many as there may be. */
  open(request: TapRequest, isAllowed: () => boolean): Readable | undefined;
  /** Ends those who are not allowed any more. */
  review(): void;
  /** Ends all. */
  stop(): void;
}

/** Why a stream ends, in its last event. */
export const TAP_ENDS = ['limit', 'not_allowed', 'stopping'] as const;
type TapEnd = (typeof TAP_ENDS)[number];

const TICK_MS = 1_000;
/** Silent for no longer: a node that forwards the stream gives up after 5 s. */
const TICKS_BETWEEN_BEATS = 2;
/** Who took nothing for so long holds the place of somebody else. */
const MAX_TICKS_BEHIND = 60;

interface Reader {
  readonly stream: EventStream;
  readonly subscription: TapSubscription;
  readonly isAllowed: () => boolean;
  ticksSilent: number;
  ticksBehind: number;
}

export function createTapReaders(tap: Tap, schedule: Schedule): TapReaders {
  const readers = new Set<Reader>();
  let callOff: (() => void) | undefined;

  function end(reader: Reader, reason: TapEnd): void {
    const isBehind = reader.stream.isBehind;
    leave(reader);
    // What waits for it was for one who was allowed to see it.
    if (reason === 'not_allowed' && isBehind) {
      reader.stream.abandon();
      return;
    }
    tellDrops(reader);
    reader.stream.end('end', JSON.stringify({ reason }));
  }

  function leave(reader: Reader): void {
    reader.subscription.close();
    readers.delete(reader);
    if (readers.size > 0) return;
    callOff?.();
    callOff = undefined;
  }

  function tellDrops({ stream, subscription }: Reader): boolean {
    const drops = subscription.takeDrops();
    if (drops !== undefined) stream.send('dropped', JSON.stringify(drops));
    return drops !== undefined;
  }

  function tick(): void {
    callOff = schedule(TICK_MS, tick);
    for (const reader of readers) {
      const { stream, isAllowed } = reader;
      if (!isAllowed()) end(reader, 'not_allowed');
      else if (stream.isBehind) {
        if (++reader.ticksBehind >= MAX_TICKS_BEHIND) stream.abandon();
      } else if (tellDrops(reader)) reader.ticksSilent = 0;
      else if (++reader.ticksSilent >= TICKS_BETWEEN_BEATS) {
        reader.ticksSilent = 0;
        stream.beat();
      }
    }
  }

  return {
    open(request, isAllowed) {
      const stream = createEventStream({
        onRoom() {
          if (reader === undefined || !readers.has(reader)) return;
          reader.ticksBehind = 0;
          tellDrops(reader);
          if (!stream.isBehind) reader.subscription.resume();
        },
        onClosed() {
          if (reader !== undefined) leave(reader);
        },
      });
      let reader: Reader | undefined;
      const subscription = tap.subscribe(request, {
        write(event) {
          reader!.ticksSilent = 0;
          return stream.send('exchange', event);
        },
        finished: () => end(reader!, 'limit'),
      });
      if (subscription === undefined) {
        stream.abandon();
        return undefined;
      }
      reader = { stream, subscription, isAllowed, ticksSilent: 0, ticksBehind: 0 };
      readers.add(reader);
      callOff ??= schedule(TICK_MS, tick);
      return stream.body;
    },
    review() {
      for (const reader of readers) if (!reader.isAllowed()) end(reader, 'not_allowed');
    },
    stop() {
      for (const reader of readers) end(reader, 'stopping');
    },
  };
}
