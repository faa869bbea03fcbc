/** What is left of the heap of a measured process once its garbage is collected. */
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';

export interface HeapState {
  /** Of JavaScript objects. */
  readonly liveBytes: number;
  /** What V8 holds for them, and for those to come. */
  readonly heapBytes: number;
  /** Of buffers and other memory that objects hold on to. */
  readonly externalBytes: number;
}

/** Collects the garbage of the process whose `heap-probe.ts` listens there, and asks it. */
export async function readHeapState(socketPath: string): Promise<HeapState> {
  return JSON.parse(await text(createConnection(socketPath))) as HeapState;
}
