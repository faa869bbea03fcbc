/** Lets operators watch exchanges as they end. Traffic never waits for who watches it. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { SecretNames } from './hidden-fields.ts';
import { TapAllowance } from './tap-allowance.ts';
import { capture, toEventText, type TapCapture } from './tap-event.ts';
import { fits, type TapFilter } from './tap-filter.ts';

export interface TapRequest {
  readonly filter: TapFilter;
  /** Share of the exchanges that fit, 0 to 1. */
  readonly sample: number;
  /** Events a second; what is beyond is dropped. */
  readonly ratePerSecond: number;
  /** Events in all; undefined: until the subscription is closed. */
  readonly limit: number | undefined;
  readonly withQueryValues: boolean;
}

/** Where the events of one reader go. */
export interface TapSink {
  /** Takes an event, as a line of JSON. False: it takes no more until the subscription is resumed. */
  write(event: string): boolean;
  /** There were as many as asked for. */
  finished(): void;
}

/** Exchanges that fit, and that the reader was not told of. */
export interface TapDrops {
  /** It did not take events as fast as they came. */
  readonly slow: number;
  /** There were more a second than asked for. */
  readonly rate: number;
}

export interface TapSubscription {
  /** The sink takes events again. */
  resume(): void;
  /** Since they were last taken; undefined for none. */
  takeDrops(): TapDrops | undefined;
  close(): void;
}

export interface Tap {
  /** Undefined: there are as many readers as there may be. */
  subscribe(request: TapRequest, sink: TapSink): TapSubscription | undefined;
}

/** The side of whoever has exchanges to tell of. */
export interface TapSource extends Tap {
  /** All that an exchange asks while nobody reads. */
  readonly isTapped: boolean;
  /** Whether the exchange may be for a reader: then `offer` has to be told of it. */
  wants(exchange: GatewayExchange): boolean;
  /** `record` is its line of the access log; `nowMs` is of the monotonic clock. */
  offer(exchange: GatewayExchange, record: Readonly<Record<string, unknown>>, nowMs: number): void;
}

export interface TapOptions {
  /** Uniform in [0, 1); for samples. */
  readonly random: () => number;
  /** What the configuration in force says is secret. */
  readonly secrets: () => SecretNames;
  /** Runs it soon, and not now; default: after what is on the event loop already. */
  readonly defer?: (run: () => void) => void;
}

/** Each costs time on the thread that serves. */
export const MAX_TAP_READERS = 4;
/** Waiting for one reader; with the heads that they hold on to at most some MB. */
const MAX_WAITING = 256;
/** Written at a time: some 20 µs each, and requests have their turn in between. */
const MAX_AT_ONCE = 16;
const ONE_TOO_SLOW = { slow: 1, rate: 0 };

interface Reader {
  readonly request: TapRequest;
  readonly sink: TapSink;
  readonly waiting: TapCapture[];
  readonly allowance: TapAllowance;
  isBlocked: boolean;
  isScheduled: boolean;
  isClosed: boolean;
}

export function createTap(options: TapOptions): TapSource {
  const { random, secrets, defer = setImmediate } = options;
  /** Replaced as a whole, so that nobody who goes through it is disturbed. */
  let readers: readonly Reader[] = [];

  function drain(reader: Reader): void {
    reader.isScheduled = false;
    const { request, sink, waiting } = reader;
    for (let i = 0; i < MAX_AT_ONCE && !reader.isBlocked && !reader.isClosed; i++) {
      const next = waiting.shift();
      if (next === undefined) break;
      const text = toEventText(next, secrets(), request.withQueryValues);
      if (!sink.write(text)) reader.isBlocked = true;
    }
    if (reader.isClosed) return;
    if (waiting.length > 0) schedule(reader);
    else if (reader.allowance.isSated) {
      close(reader);
      sink.finished();
    }
  }

  function schedule(reader: Reader): void {
    if (reader.isScheduled || reader.isBlocked || reader.isClosed) return;
    reader.isScheduled = true;
    defer(() => drain(reader));
  }

  function take(reader: Reader, next: TapCapture, nowMs: number): void {
    const { allowance, waiting } = reader;
    if (!allowance.admits(nowMs)) return;
    if (waiting.length >= MAX_WAITING) {
      allowance.drop(ONE_TOO_SLOW);
      return;
    }
    allowance.take();
    waiting.push(next);
    schedule(reader);
  }

  function close(reader: Reader): void {
    if (reader.isClosed) return;
    reader.isClosed = true;
    reader.waiting.length = 0;
    readers = readers.filter((one) => one !== reader);
    tap.isTapped = readers.length > 0;
  }

  const tap = {
    isTapped: false,

    wants(exchange: GatewayExchange): boolean {
      for (const reader of readers) {
        if (!reader.allowance.isSated && fits(reader.request.filter, exchange)) return true;
      }
      return false;
    },

    offer(
      exchange: GatewayExchange,
      record: Readonly<Record<string, unknown>>,
      nowMs: number,
    ): void {
      let captured: TapCapture | undefined;
      for (const reader of readers) {
        const { filter, sample } = reader.request;
        if (reader.allowance.isSated || !fits(filter, exchange)) continue;
        if (sample < 1 && random() >= sample) continue;
        captured ??= capture(exchange, record);
        take(reader, captured, nowMs);
      }
    },

    subscribe(request: TapRequest, sink: TapSink): TapSubscription | undefined {
      if (readers.length >= MAX_TAP_READERS) return undefined;
      const reader: Reader = {
        request,
        sink,
        waiting: [],
        allowance: new TapAllowance(request),
        isBlocked: false,
        isScheduled: false,
        isClosed: false,
      };
      readers = [...readers, reader];
      tap.isTapped = true;
      return {
        resume() {
          reader.isBlocked = false;
          if (reader.waiting.length > 0) schedule(reader);
        },
        takeDrops: () => reader.allowance.takeDrops(),
        close: () => close(reader),
      };
    },
  };
  return tap;
}
