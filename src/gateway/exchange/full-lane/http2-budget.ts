/** How much of a client's HTTP/2 traffic may be something else than requests; pure arithmetic. */

/** Control frames of one kind (PING, SETTINGS, PRIORITY) in one second. */
const MAX_CONTROL_FRAMES_PER_SECOND = 200;
/** A gRPC client may send a PING for every frame it downloads, to measure its bandwidth. */
const BYTES_SENT_PER_PING = 4096;
/** Bytes in one second that neither a request's head nor a body accounts for. */
const MAX_OVERHEAD_BYTES_PER_SECOND = 256 * 1024;
/** A downloading client sends 13 bytes of WINDOW_UPDATE per frame it takes, twice. */
const WINDOW_UPDATE_SHARE = 1 / 32;
/** A request whose fields compress well costs less than it seems, one that is padded more. */
const MAX_PADDING_FACTOR = 4;

/**
 * nghttp2 and node bound resets, CONTINUATION, empty DATA and unread acknowledgements. What
 * is left are frames that are legal in any number and cost their sender next to nothing:
 * PING, SETTINGS and PRIORITY are counted, WINDOW_UPDATE, unknown frames and padding are
 * found by their bytes (CVE-2019-9511 and kin).
 */
export class Http2Budget {
  // Whatever returns a boolean returns false when the second's budget is spent.
  #pings = 0;
  #settings = 0;
  #priorities = 0;
  #useful = 0;
  #read = 0;
  #written = 0;

  /** `bytesWritten`: the connection's total so far, asked for only when it matters. */
  ping(bytesWritten: () => number): boolean {
    if (++this.#pings <= MAX_CONTROL_FRAMES_PER_SECOND) return true;
    const earned = (bytesWritten() - this.#written) / BYTES_SENT_PER_PING;
    return this.#pings <= MAX_CONTROL_FRAMES_PER_SECOND + earned;
  }

  settings(): boolean {
    return ++this.#settings <= MAX_CONTROL_FRAMES_PER_SECOND;
  }

  priority(): boolean {
    return ++this.#priorities <= MAX_CONTROL_FRAMES_PER_SECOND;
  }

  /** Bytes of a request's fields or body. */
  used(bytes: number): void {
    this.#useful += bytes;
  }

  /**
   * Once a second, with the connection's totals so far: whether the past second was within
   * bounds. A new second begins.
   */
  second(bytesRead: number, bytesWritten: number): boolean {
    const read = bytesRead - this.#read;
    const written = bytesWritten - this.#written;
    const allowed =
      MAX_OVERHEAD_BYTES_PER_SECOND +
      this.#useful * MAX_PADDING_FACTOR +
      written * WINDOW_UPDATE_SHARE;
    this.#read = bytesRead;
    this.#written = bytesWritten;
    this.#useful = 0;
    this.#pings = 0;
    this.#settings = 0;
    this.#priorities = 0;
    return read <= allowed;
  }
}
