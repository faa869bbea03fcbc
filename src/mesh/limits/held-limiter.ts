/** Limiters as the gateway hands them out: given back when the plugin that uses them is closed. */
import type { Counters, Limiter, LimiterOptions } from '../../plugins/sdk/plugin-context.ts';

export interface HeldLimiter extends Limiter {
  /** Once, when nobody will use it any more; its counts stay until their windows end. */
  release(): void;
}

export interface HeldCounters extends Counters {
  limiter(options: LimiterOptions): HeldLimiter;
}
