/** The memory that answers are put together in, used again once all that is in it has been written. */

const BLOCK_BYTES = 64 * 1024;

/** More than this is copied nowhere, so that a few of them do not fill a block. */
export const MAX_COPIED_BYTES = 32 * 1024;

/** Kept for later, 1 MiB; more than these are left to the garbage collector. */
const MAX_FREE_BLOCKS = 16;

/** A block for all connections: what each of them has to write is a run of bytes in it. */
export class WriteBlock {
  readonly memory = new ArrayBuffer(BLOCK_BYTES);
  readonly bytes = Buffer.from(this.memory);
  /** Bytes of all runs. */
  used = 0;
  /** Those that are still written to, or wait to be written. */
  runs = 0;
}

let current = new WriteBlock();
const free: WriteBlock[] = [];

/** The block for a run that begins with so many bytes, up to `MAX_COPIED_BYTES`, where it has been used up to. */
export function openRun(length: number): WriteBlock {
  if (current.used + length > BLOCK_BYTES) current = free.pop() ?? new WriteBlock();
  current.runs++;
  return current;
}

/** Whether the last run of a block, which ends at `end`, can go on with so many bytes. */
export function canExtend(block: WriteBlock, end: number, length: number): boolean {
  return block.used === end && end + length <= BLOCK_BYTES;
}

/**
 * Nobody looks at a run's bytes any more. A block of which this is never said for one of its runs
 * is garbage once it is full and they are gone.
 */
export function closeRun(block: WriteBlock): void {
  if (--block.runs > 0) return;
  block.used = 0;
  if (block !== current && free.length < MAX_FREE_BLOCKS) free.push(block);
}
