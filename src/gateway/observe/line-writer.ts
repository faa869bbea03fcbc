/** Writes lines in batches, off the request path; what cannot be written waits a while, then is dropped and counted. */
import { close, stat, write } from 'node:fs';
import { LineBlocks, type LineBlock } from './line-block.ts';
import { openForAppending, type OpenFile } from './open-file.ts';

export interface LineWriter {
  /** Opens the file; tries again where it cannot. What is written before waits. */
  start(): void;
  /** `line` ends with a line break. Never throws, never waits. */
  write(line: string): void;
  /** Where a line may be put together instead, which saves its string: begun there, and then taken by `take`. */
  readonly block: LineBlock;
  /** False: the line is not there (see `LineBlock.end`), and is to be written as a string. */
  take(): boolean;
  /** Opens the file anew, as after it was moved away; a line that is half written goes before. */
  reopen(): void;
  /** Lines given up: the disk is full, or the reader is slower than the traffic. */
  readonly dropped: number;
  /** Writes what is left, where that is possible soon, and closes. */
  close(): Promise<void>;
}

export interface LineWriterOptions {
  /** File to append to; made with its folders where it is not there. Undefined: standard output. */
  readonly path: string | undefined;
  /** Other processes write there too: what goes into a pipe goes in pieces that stay whole. Default false. */
  readonly isShared?: boolean;
  /** Hears of the first failure of a row. */
  readonly onFailure: (error: Error) => void;
  /** The first write has succeeded after a failure; `dropped` as in `LineWriter`. */
  readonly onRecovery: (dropped: number) => void;
  /**
   * What may wait for a slow or full disk, in bytes; more is dropped, as memory must not pay
   * for the log. Default 8 Mi.
   */
  readonly maxWaiting?: number;
  /** How long a line may wait for others, in milliseconds, and how often a failed write is tried again. Default 500. */
  readonly flushIntervalMs?: number;
  /** How often to look, while writing, whether the path still is the file: a rotation may have moved it away. Default 1000. */
  readonly lookIntervalMs?: number;
}

/** A pipe is full: its reader is as a rule back in no time. */
const FIRST_PIPE_RETRY_MS = 5;
const MAX_PIPE_RETRY_MS = 80;
const CLOSE_DEADLINE_MS = 2000;
const LINE_END = 0x0a;

/**
 * Why not sonic-boom, which pino writes by: where a file cannot be opened it never tries again and
 * then throws at the caller; after EPIPE its `end` never ends; and a write to a pipe that nobody
 * reads keeps a thread that process.exit() waits for.
 */
export function createLineWriter(options: LineWriterOptions): LineWriter {
  return new BatchedLineWriter(options);
}

class BatchedLineWriter implements LineWriter {
  readonly #options: LineWriterOptions;
  readonly #maxWaiting: number;
  #interval: NodeJS.Timeout | undefined;
  readonly #lookIntervalMs: number;
  #file: OpenFile | undefined;
  /** Monotonic milliseconds of the last look at the path. */
  #lookedAt = 0;
  #mustReopen = false;
  /** A system call is under way, or its repetition is due. */
  #busy = false;
  /** Oldest first. */
  #full: LineBlock[] = [];
  readonly #blocks = new LineBlocks();
  #block = this.#blocks.take(0);
  /** Bytes of all lines that are not being written yet. */
  #waiting = 0;
  /** What is being written, from `#offset` on, and where it is. */
  #chunk: Buffer | undefined;
  #written: LineBlock | undefined;
  #offset = 0;
  #pipeRetryMs = FIRST_PIPE_RETRY_MS;
  #pipeRetry: NodeJS.Timeout | undefined;
  #failing = false;
  #dropped = 0;
  #onClosed: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#maxWaiting = options.maxWaiting ?? 8 * 1024 * 1024;
    this.#lookIntervalMs = options.lookIntervalMs ?? 1000;
  }

  start(): void {
    this.#interval ??= setInterval(() => this.#flush(), this.#options.flushIntervalMs ?? 500);
    this.#interval.unref();
    // At once, so that a path that cannot be used is told at the start.
    this.#flush();
  }

  get dropped(): number {
    return this.#dropped;
  }

  get block(): LineBlock {
    return this.#block;
  }

  write(line: string): void {
    const { length } = this.#block;
    if (!this.#block.add(line)) {
      this.#full.push(this.#block);
      this.#block = this.#blocks.take(line.length * 3);
      this.#block.add(line);
      this.#added(this.#block.length);
    } else this.#added(this.#block.length - length);
  }

  take(): boolean {
    const bytes = this.#block.end();
    if (bytes === 0) return false;
    this.#added(bytes);
    return true;
  }

  /** The newest line of the block has so many bytes. */
  #added(bytes: number): void {
    if (this.#waiting + bytes > this.#maxWaiting) {
      this.#block.remove(bytes);
      this.#dropped++;
      if (!this.#failing) this.#fail(new Error('the log is written faster than it is taken'));
      return;
    }
    this.#waiting += bytes;
    // A failed write is tried again by the interval alone: not once a line.
    if (this.#full.length > 0 && this.#file !== undefined && !this.#failing) this.#flush();
  }

  reopen(): void {
    this.#mustReopen = true;
    if (this.#interval !== undefined) this.#flush();
  }

  close(): Promise<void> {
    if (this.#interval === undefined) return Promise.resolve();
    return (this.#closing ??= new Promise((resolve) => {
      const deadline = setTimeout(() => this.#finish(), CLOSE_DEADLINE_MS);
      this.#onClosed = () => {
        clearTimeout(deadline);
        resolve();
      };
      this.#flush();
    }));
  }

  /** Writes what there is, unless that is being done. */
  #flush(): void {
    if (this.#busy) return;
    if (this.#file === undefined) this.#open();
    else if (this.#isRestDue()) this.#send();
    else if (this.#mustReopen) this.#openAnew();
    else if (this.#isLookDue()) this.#look();
    else if (this.#chunk !== undefined || this.#takeBlock()) this.#send();
    else if (this.#onClosed !== undefined) this.#finish();
  }

  /** The rest of a line belongs to where it began, as long as that can be written. */
  #isRestDue(): boolean {
    return this.#chunk !== undefined && !this.#failing;
  }

  #isLookDue(): boolean {
    if (this.#file?.identity === undefined) return false;
    if (this.#waiting === 0 && this.#chunk === undefined) return false;
    return performance.now() - this.#lookedAt >= this.#lookIntervalMs;
  }

  #look(): void {
    this.#busy = true;
    stat(this.#options.path!, (error, found) => {
      this.#busy = false;
      this.#lookedAt = performance.now();
      const { dev, ino } = this.#file!.identity!;
      if (error === null ? found.dev !== dev || found.ino !== ino : error.code === 'ENOENT') {
        this.#openAnew();
      } else this.#flush();
    });
  }

  #openAnew(): void {
    this.#mustReopen = false;
    const { fd, identity } = this.#file!;
    if (identity === undefined) return this.#flush();
    close(fd, () => {});
    this.#file = undefined;
    // A line that could only be begun in the old file is whole in the new one.
    if (this.#chunk !== undefined && this.#offset > 0) {
      this.#offset = this.#chunk.lastIndexOf('\n', this.#offset - 1) + 1;
    }
    this.#open();
  }

  #takeBlock(): boolean {
    const block = this.#full.shift() ?? this.#block;
    if (block.lines === 0) return false;
    if (block === this.#block) this.#block = this.#blocks.take(0);
    this.#waiting -= block.length;
    this.#written = block;
    this.#chunk = block.bytes.subarray(0, block.length);
    this.#offset = 0;
    return true;
  }

  #send(): void {
    this.#busy = true;
    const chunk = this.#chunk!;
    const length = this.#lengthOfNext(chunk);
    write(this.#file!.fd, chunk, this.#offset, length, null, (error, written) => {
      if (error?.code === 'EAGAIN') this.#retryPipe();
      else if (error !== null) this.#failed(error);
      else this.#sent(written);
    });
  }

  #lengthOfNext(chunk: Buffer): number {
    const left = chunk.length - this.#offset;
    const max = this.#file!.maxWriteBytes ?? left;
    if (left <= max) return left;
    const end = chunk.lastIndexOf(LINE_END, this.#offset + max - 1) + 1;
    // A line that is longer goes alone.
    return (end > this.#offset ? end : chunk.indexOf(LINE_END, this.#offset) + 1) - this.#offset;
  }

  #sent(written: number): void {
    this.#busy = false;
    this.#pipeRetryMs = FIRST_PIPE_RETRY_MS;
    this.#offset += written;
    // Not before there is room again: whoever is a little too slow would fail and recover all the time.
    if (this.#failing && this.#waiting <= this.#maxWaiting / 2) {
      this.#failing = false;
      this.#options.onRecovery(this.#dropped);
    }
    // A rest goes first: a line that is half written is completed, whatever comes between.
    if (this.#offset < this.#chunk!.length) return this.#send();
    this.#chunk = undefined;
    this.#blocks.giveBack(this.#written!);
    if (this.#onClosed !== undefined || this.#full.length > 0) this.#flush();
  }

  #retryPipe(): void {
    // A reader that never reads again must not keep the process.
    this.#pipeRetry = setTimeout(() => this.#send(), this.#pipeRetryMs).unref();
    this.#pipeRetryMs = Math.min(this.#pipeRetryMs * 2, MAX_PIPE_RETRY_MS);
  }

  #failed(error: Error): void {
    this.#busy = false;
    this.#fail(error);
    if (this.#onClosed !== undefined) this.#finish();
  }

  #fail(error: Error): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#options.onFailure(error);
  }

  #open(): void {
    this.#busy = true;
    openForAppending(this.#options.path, this.#options.isShared === true).then(
      (file) => {
        this.#busy = false;
        this.#file = file;
        this.#lookedAt = performance.now();
        if (this.#chunk !== undefined || this.#onClosed !== undefined || this.#full.length > 0)
          this.#flush();
      },
      (error: Error) => this.#failed(error),
    );
  }

  #finish(): void {
    if (this.#onClosed === undefined) return;
    clearInterval(this.#interval);
    clearTimeout(this.#pipeRetry);
    if (this.#chunk !== undefined) this.#dropped += this.#written!.lines;
    for (const { lines } of [...this.#full, this.#block]) this.#dropped += lines;
    const closed = this.#onClosed;
    this.#onClosed = undefined;
    if (this.#file?.identity === undefined || this.#busy) closed();
    else close(this.#file.fd, () => closed());
  }
}
