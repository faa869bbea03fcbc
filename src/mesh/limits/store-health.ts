/** Whether who counts the windows answers in time, lane by lane; what does not is left alone, and tried in the background. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Schedule } from '../backplane/schedule.ts';

export interface StoreHealthOptions {
  /** Who it is that answers, for the log. */
  readonly counter: string;
  /** In a cluster the keys of one lane are on one master, and lanes fail by themselves. */
  readonly lanes: number;
  /** Asks for something that is written, as limits are. `isInTime` false: it answered, but late. */
  readonly probe: (lane: number) => Promise<{ readonly isInTime: boolean }>;
  readonly schedule: Schedule;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly log: Log;
}

interface Down {
  readonly sinceMs: number;
  probes: number;
  isProbing: boolean;
  callOff: () => void;
}

const PROBE_BASE_MS = 50;
const PROBE_MAX_MS = 1_000;

/** Less is not worth a warning: an answer that was late, or a node that is just starting. */
const WARNED_AFTER_MS = 1_000;

export class StoreHealth {
  readonly #options: StoreHealthOptions;
  readonly #down = new Map<number, Down>();
  #isTold = false;
  #isClosed = false;

  constructor(options: StoreHealthOptions) {
    this.#options = options;
  }

  isUp(lane: number): boolean {
    return !this.#down.has(lane);
  }

  /** Nobody asks any more until a probe has come back in time. */
  failed(lane: number, reason: string): void {
    if (this.#isClosed || this.#down.has(lane)) return;
    const down: Down = {
      sinceMs: this.#options.monotonic(),
      probes: 0,
      isProbing: false,
      callOff: () => {},
    };
    this.#down.set(lane, down);
    void this.#probe(lane, down, reason);
  }

  /** The connection was lost, or is there again. */
  connectionChanged(isConnected: boolean): void {
    for (let lane = 0; lane < this.#options.lanes; lane++) {
      const down = this.#down.get(lane);
      if (!isConnected) this.failed(lane, 'the connection is lost');
      else if (down !== undefined) {
        down.callOff();
        void this.#probe(lane, down, '');
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const down of this.#down.values()) down.callOff();
  }

  async #probe(lane: number, down: Down, reason: string): Promise<void> {
    if (this.#isClosed || down.isProbing) return;
    down.isProbing = true;
    down.probes++;
    try {
      const { isInTime } = await this.#options.probe(lane);
      if (isInTime) this.#recovered(lane);
      else this.#tryLater(lane, down, 'it answers late');
    } catch (error) {
      this.#tryLater(lane, down, error instanceof Error ? error.message : reason);
    }
    down.isProbing = false;
  }

  #tryLater(lane: number, down: Down, reason: string): void {
    if (this.#isClosed) return;
    const { counter, random, schedule, monotonic, log } = this.#options;
    // Once an outage.
    if (!this.#isTold && monotonic() - down.sinceMs >= WARNED_AFTER_MS) {
      this.#isTold = true;
      log.warn({ reason }, `rate limits go without ${counter}, each by its onUnavailable`);
    }
    const cap = Math.min(PROBE_MAX_MS, PROBE_BASE_MS * 2 ** Math.min(down.probes, 30));
    down.callOff = schedule(random() * cap, () => void this.#probe(lane, down, reason));
  }

  #recovered(lane: number): void {
    this.#down.delete(lane);
    if (this.#down.size > 0 || !this.#isTold) return;
    this.#isTold = false;
    const { counter, log } = this.#options;
    log.info({}, `rate limits are counted in ${counter} again`);
  }
}
