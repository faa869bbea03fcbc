/**
 * Loaded into a Meshgate that is measured (`node --expose-gc --import`): collects its garbage and
 * tells what is left to whoever connects to the Unix socket that `BENCH_HEAP_SOCKET` names.
 */
import { createServer } from 'node:net';
import type { HeapState } from './heap-state.ts';

const path = process.env['BENCH_HEAP_SOCKET'];
if (path === undefined || globalThis.gc === undefined) {
  throw new Error('the heap probe needs BENCH_HEAP_SOCKET, and node --expose-gc');
}
const collect = globalThis.gc;

createServer((socket) => {
  collect();
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  const state: HeapState = { liveBytes: heapUsed, heapBytes: heapTotal, externalBytes: external };
  socket.end(JSON.stringify(state));
})
  .listen(path)
  .unref();
