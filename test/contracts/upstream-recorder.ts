/** An UpstreamSink that keeps what it hears and lets a test wait for it. */
import type { Duplex } from 'node:stream';
import type { HeaderFields } from '../../src/plugins/sdk/header-fields.ts';
import type { UpstreamError } from '../../src/mesh/transport/upstream-error.ts';
import type { UpstreamSink } from '../../src/mesh/transport/upstream.ts';

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
}

export class UpstreamRecorder implements UpstreamSink {
  /** The names of the calls in order: `sent`, `informational`, `head`, `data`, `end`, `upgrade`, `error`. */
  readonly calls: string[] = [];
  readonly informational: { readonly status: number; readonly headers: string[] }[] = [];
  reused: boolean | undefined;
  status = 0;
  reason = '';
  headers: string[] = [];
  bytes = 0;
  trailers: string[] | undefined;
  error: UpstreamError | undefined;
  tunnel: Duplex | undefined;
  /** Called for each piece, after it is recorded. */
  onPiece: (() => void) | undefined;
  readonly #keepsBody: boolean;
  readonly #pieces: Buffer[] = [];
  readonly #waiters = new Set<Waiter>();

  constructor(options: { readonly keepsBody?: boolean } = {}) {
    this.#keepsBody = options.keepsBody ?? true;
  }

  get text(): string {
    return Buffer.concat(this.#pieces).toString('latin1');
  }

  get isOver(): boolean {
    return this.calls.some((call) => call === 'end' || call === 'error' || call === 'upgrade');
  }

  /** The values of a field, by its name in lower case. */
  values(name: string): string[] {
    return this.headers.filter(
      (_, index) => index % 2 === 1 && this.headers[index - 1]!.toLowerCase() === name,
    );
  }

  until(isMet: (recorder: this) => boolean): Promise<void> {
    if (isMet(this)) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.add({ isMet: () => isMet(this), resolve }));
  }

  /** Waits for the end and returns this; throws where the try failed. */
  async ended(): Promise<this> {
    await this.until(() => this.isOver);
    if (this.error !== undefined) throw this.error;
    return this;
  }

  /** Waits for the failure; throws where the try went well. */
  async failed(): Promise<UpstreamError> {
    await this.until(() => this.isOver);
    if (this.error === undefined) throw new Error(`did not fail: ${this.calls.join(' ')}`);
    return this.error;
  }

  onSent(connection: { readonly reused: boolean }): void {
    this.reused = connection.reused;
    this.#record('sent');
  }

  onInformational(status: number, headers: string[]): void {
    this.informational.push({ status, headers });
    this.#record('informational');
  }

  onHead(status: number, reason: string, headers: HeaderFields): void {
    this.status = status;
    this.reason = reason;
    this.headers = headers.raw;
    this.#record('head');
  }

  onData(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (this.#keepsBody) this.#pieces.push(Buffer.from(chunk));
    this.onPiece?.();
    this.#record('data');
  }

  onEnd(trailers: string[] | undefined): void {
    this.trailers = trailers;
    this.#record('end');
  }

  onUpgrade(status: number, reason: string, headers: string[], socket: Duplex): void {
    this.status = status;
    this.reason = reason;
    this.headers = headers;
    this.tunnel = socket;
    this.#record('upgrade');
  }

  onError(error: UpstreamError): void {
    this.error = error;
    this.#record('error');
  }

  #record(call: string): void {
    // A long body would make the list as long.
    if (call !== 'data' || this.calls.at(-1) !== 'data') this.calls.push(call);
    for (const waiter of this.#waiters) {
      if (!waiter.isMet()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
