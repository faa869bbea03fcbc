/** Lets a small heap grow before all of it is collected. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** What has grown to this, garbage included, goes by the engine's own rules: twice as much may be too much. */
const SMALL_BYTES = 128 * 1024 * 1024;

const INTERVAL_MS = 10_000;

/** The engine's own rules. */
const BY_ITSELF = 0;
const TO_TWICE = 100;

/**
 * V8 lets a heap that has been idle grow by a tenth only before it collects all of it. A gateway's is some 45 MiB
 * after start: the 2 MiB of 64 new TLS connections began a collection, five in the first seconds of a
 * load, which made p99 10 ms of 3 and took up to a tenth of the processor's time.
 */
export function settleHeapGrowth(
  setFlags: (flags: string) => void = setFlagsFromString,
  bytes: number = oldBytes(),
): void {
  setFlags(`--heap-growing-percent=${bytes < SMALL_BYTES ? TO_TWICE : BY_ITSELF}`);
}

/** Goes by how large the heap is from time to time. Returns its end. */
export function watchHeapGrowth(): () => void {
  settleHeapGrowth();
  const timer = setInterval(() => settleHeapGrowth(), INTERVAL_MS).unref();
  return () => clearInterval(timer);
}

/** Of all spaces but those for what is new. */
function oldBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => !name.startsWith('new_'))
    .reduce((sum, { space_used_size: bytes }) => sum + bytes, 0);
}
