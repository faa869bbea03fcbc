/** A reader of the tap that keeps what it is told. */
import type { Tap, TapRequest, TapSubscription } from '../../../src/gateway/observe/tap.ts';

export interface Reading {
  readonly events: Record<string, unknown>[];
  readonly subscription: TapSubscription;
  isOpen: boolean;
  isFinished: boolean;
}

export function readTap(tap: Tap, request: Partial<TapRequest> = {}): Reading {
  const reading: { -readonly [Key in keyof Reading]: Reading[Key] } = {
    events: [],
    subscription: undefined as never,
    isOpen: true,
    isFinished: false,
  };
  reading.subscription = tap.subscribe(
    {
      filter: {},
      sample: 1,
      ratePerSecond: 1_000_000,
      limit: undefined,
      withQueryValues: false,
      ...request,
    },
    {
      write(event) {
        reading.events.push(JSON.parse(event) as Record<string, unknown>);
        return reading.isOpen;
      },
      finished: () => (reading.isFinished = true),
    },
  )!;
  return reading;
}
