/** The port to where the windows of keys are counted, for all who share the limits. */

/** One key's window of one limiter. */
export interface LimitWindow {
  /** Of `LimitWindows.lanes`; the same for a key always. */
  readonly lane: number;
  /** Names and lengths that are counted apart have ids of their own. */
  readonly limiter: string;
  readonly key: string;
  readonly windowMs: number;
}

/** For a window of `limit` points: up to `wanted` of them, and none if there are not `least`. */
export interface Ask {
  /** 0 to look only. */
  readonly wanted: number;
  /** At least 1. */
  readonly least: number;
  readonly limit: number;
}

export interface Grant {
  readonly granted: number;
  /** Points of the window that are gone, these included. */
  readonly spent: number;
  /** Milliseconds to the window's end, by the clock of who counts, when it answered. */
  readonly endsInMs: number;
}

export interface LimitWindows {
  /** Who counts, for the log. */
  readonly counter: string;
  /** Parts that fail each by itself, such as a cluster's masters; at least 1. */
  readonly lanes: number;
  /** False: asking is known to be in vain. */
  readonly isConnected: boolean;
  /** Hears of changes of `isConnected`; returns its end. */
  onConnection(listener: () => void): () => void;
  /** Windows begin with their first point. Rejects where there is no answer; the points may be charged then. */
  ask(window: LimitWindow, ask: Ask): Promise<Grant>;
}
