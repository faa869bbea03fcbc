/** What a downstream connection may be and do, whichever protocol it speaks. */
import type { HeadLimits } from './head-limits.ts';

export interface ConnectionLimits extends HeadLimits {
  /** Between two requests, and for a client that does not read. */
  readonly idleTimeoutMs: number;
  /** Bytes per second of a request body; 0: no limit. */
  readonly minBodyRate: number;
  /** 0: no limit. */
  readonly maxRequestsPerConnection: number;
}
