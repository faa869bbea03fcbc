/** What is known of a mesh service's endpoints when the registry may have forgotten some. */
import { LEASE_MS } from '../backplane/timing.ts';
import type { EndpointSpec } from '../endpoint.ts';

export interface KnownInstances {
  /** Of the view that was taken last; empty where none can be followed on. */
  readonly epoch: string;
  readonly revision: number;
  /** By id: what the registry says, and what is carried. */
  readonly specs: ReadonlyMap<string, EndpointSpec>;
  /** Known from before, and not seen in this epoch: monotonic milliseconds until which they count. */
  readonly carried: ReadonlyMap<string, number>;
}

export interface InstanceView {
  readonly epoch: string;
  readonly revision: number;
  readonly continuous: boolean;
  readonly specs: ReadonlyMap<string, EndpointSpec>;
}

export const NOTHING_KNOWN: KnownInstances = {
  epoch: '',
  revision: 0,
  specs: new Map(),
  carried: new Map(),
};

/**
 * An empty registry is never taken for the truth. Nor is one that began anew: those who gave
 * heartbeats to the old one have a lease's time to be heard again, or a Redis that was emptied
 * would send all traffic to the first instance that came back.
 */
export function takeView(known: KnownInstances, view: InstanceView, nowMs: number): KnownInstances {
  const { epoch, revision } = view;
  // On an empty view of a registry that began anew nothing follows, though the next is continuous.
  const follows =
    known.epoch !== '' &&
    (view.continuous || (epoch === known.epoch && revision >= known.revision));
  if (view.specs.size === 0) {
    // Of those removed on purpose, the next instance need not wait for the return.
    return { ...known, epoch: follows ? epoch : '', revision };
  }
  const carried = new Map<string, number>();
  if (follows) {
    for (const [id, untilMs] of known.carried) carried.set(id, untilMs);
  } else {
    for (const id of known.specs.keys()) carried.set(id, nowMs + LEASE_MS);
  }
  for (const id of view.specs.keys()) carried.delete(id);
  return dropExpired({ epoch, revision, specs: merge(view.specs, known, carried), carried }, nowMs);
}

/** Without those whose time to come back is over; where that would leave none, they all stay. */
export function dropExpired(known: KnownInstances, nowMs: number): KnownInstances {
  const carried = new Map([...known.carried].filter(([, untilMs]) => untilMs > nowMs));
  if (carried.size === known.carried.size) return known;
  const specs = new Map(
    [...known.specs].filter(([id]) => carried.has(id) || !known.carried.has(id)),
  );
  return { ...known, specs: specs.size === 0 ? known.specs : specs, carried };
}

/** Monotonic milliseconds of the next `dropExpired` that may have something to do. */
export function nextExpiryMs({ carried }: KnownInstances): number | undefined {
  return carried.size === 0 ? undefined : Math.min(...carried.values());
}

function merge(
  seen: ReadonlyMap<string, EndpointSpec>,
  known: KnownInstances,
  carried: ReadonlyMap<string, number>,
): ReadonlyMap<string, EndpointSpec> {
  if (carried.size === 0) return seen;
  const specs = new Map(seen);
  for (const id of carried.keys()) {
    const spec = known.specs.get(id);
    if (spec !== undefined) specs.set(id, spec);
  }
  return specs;
}
