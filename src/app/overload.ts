/** When the process sheds load, by what the machine has. */
import { totalmem } from 'node:os';
import { createOverloadGuard } from '../gateway/admission/overload.ts';

/** Above this the event loop is too late to serve anybody well, and 503 is the better answer. */
const MAX_LOOP_DELAY_MS = 150;
/** Share of the memory that the process may have (the machine's, or its container's) before it sheds load. */
const MAX_MEMORY_SHARE = 0.85;

/** `workers`: processes that share the machine's memory alike. */
export function createProcessGuard(workers: number): ReturnType<typeof createOverloadGuard> {
  return createOverloadGuard({
    maxLoopDelayMs: MAX_LOOP_DELAY_MS,
    maxRssBytes:
      (Math.min(totalmem(), process.constrainedMemory() || Infinity) * MAX_MEMORY_SHARE) / workers,
  });
}
