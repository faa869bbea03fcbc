/** The memory that sockets are read into: one small piece for all of them, large ones for whoever reads much. */

/** Most reads are shorter: a head, or an answer with its body. */
export const COMMON_BYTES = 16 * 1024;

/** As much as libuv reads at once. */
export const SLAB_BYTES = 64 * 1024;

/** Kept for those that come next, 4 MiB; more than these are left to the garbage collector. */
const MAX_FREE_SLABS = 64;

/** For reads of which nothing is left when the next one begins: all sockets take turns. */
export const common: Buffer = Buffer.allocUnsafeSlow(COMMON_BYTES);

/** The first bytes of the common memory, by how many: making them anew costs more than reading a short head. */
const VIEWS = 4096;
const views = Array.from<Buffer | undefined>({ length: VIEWS });

/** Those that were used last come first: the processor still has them at hand. */
const free: Buffer[] = [];

/** Those that hold a read which was given away, and how long it is. */
const given = new WeakMap<ArrayBufferLike, { readonly slab: Buffer; readonly length: number }>();

/** What is being read at the moment, unless it was given away. */
let borrowed: ArrayBufferLike = common.buffer;

export function takeSlab(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
}

/** For the next reader; nobody may look at any of it any more. */
export function freeSlab(slab: Buffer): void {
  if (free.length < MAX_FREE_SLABS) free.push(slab);
}

/** The first `length` bytes belong to whoever is handed them, until he gives them back, if ever. */
export function give(slab: Buffer, length: number): Buffer {
  given.set(slab.buffer, { slab, length });
  borrowed = common.buffer;
  return slab.subarray(0, length);
}

/**
 * From whoever has had `bytes` to himself, and has written them: their memory is used again, if it
 * is a slab and they are all of what was read into it. Anybody who still held them would see, or
 * send, what belongs to others.
 */
export function giveBack(bytes: Uint8Array): void {
  const found = given.get(bytes.buffer);
  if (found === undefined || found.length !== bytes.length) return;
  given.delete(bytes.buffer);
  freeSlab(found.slab);
}

/** The first `length` bytes are there until the next read: from now on `keep` copies of them. */
export function lend(memory: Buffer, length: number): Buffer {
  borrowed = memory.buffer;
  if (memory !== common || length >= VIEWS) return memory.subarray(0, length);
  return (views[length] ??= memory.subarray(0, length));
}

/** The bytes of a read for as long as they are wanted: themselves where they were given away, or a copy. */
export function keep<Bytes extends Uint8Array>(bytes: Bytes): Bytes | Buffer {
  return bytes.buffer === borrowed ? Buffer.from(bytes) : bytes;
}
