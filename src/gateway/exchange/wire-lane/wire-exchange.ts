/** One request on the wire lane, and its answer on the way out. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HeaderFields } from '../../../plugins/sdk/header-fields.ts';
import type { Connection } from '../connection.ts';
import { AnswerFraming, lengthAtOnce } from '../answer-framing.ts';
import { renderHttp1Head } from '../http1-refusal.ts';
import type { Downstream, DownstreamObserver, Intake } from '../lane.ts';
import { renderAnswerHead, renderLastChunk, type HeadEnd } from './wire-answer-head.ts';
import type { WireBody } from './wire-body.ts';
import type { HeadReader } from './wire-head.ts';
import type { WireOutput } from './wire-output.ts';

/** `head`: has just read the request. */
export function toIntake(
  connection: Connection,
  head: HeadReader,
  body: WireBody | undefined,
): Intake {
  return {
    connection,
    method: head.method,
    target: head.target,
    authority: head.authority,
    headers: head.headers,
    text: head.text,
    body,
    upgrade: undefined,
    expectContinue: false,
  };
}

/** The connection that an exchange is on. */
export interface WireConnection {
  readonly output: WireOutput;
  /** No further request of it is served. */
  isClosing: boolean;
  /** Before a head is written: how it ends. */
  settleHead(): HeadEnd;
  /** When an answer has been given whole: whether the rest of the request can still be dropped. */
  settleEnd(): void;
  /** The answer has been given: `finished` is called, now or later, when it has left. */
  leave(): void;
  /** Breaks the connection so that the answer cannot pass for complete. */
  cut(): void;
  /** The answer has left. */
  answered(): void;
}

const WAITING = 0;
const SENDING = 1;
const ENDED = 2;
const OVER = 3;

const NO_FIELDS: readonly string[] = [];

export class WireExchange implements Downstream {
  readonly intake: Intake;
  observer: DownstreamObserver | undefined = undefined;
  readonly #wire: WireConnection;
  readonly #framing = new AnswerFraming();
  #phase = WAITING;
  #isChunked = false;
  /** The head until it is written, for which it is waited as long as this turn lasts. */
  #isHeadHeld = false;
  #status = 0;
  #reason = '';
  #text = '';
  #fields = NO_FIELDS;
  #length: number | undefined = undefined;
  #awaitsDrain = false;

  constructor(wire: WireConnection, intake: Intake) {
    this.#wire = wire;
    this.intake = intake;
  }

  get #isHead(): boolean {
    return this.intake.method === 'HEAD';
  }

  informational(status: number, headers: readonly string[]): void {
    // 100 is sent by lanes that know Expect, 101 by those that know Upgrade.
    if (this.#phase !== WAITING || status === 100 || status === 101) return;
    this.#wire.output.text(renderHttp1Head(status, STATUS_CODES[status] ?? '', headers));
    this.#wire.output.flushSoon();
  }

  head(status: number, reason: string, headers: HeaderFields, length?: number): void {
    if (this.#phase !== WAITING) return;
    this.#prepareHead(status, reason, headers.text, headers.rest, length);
    this.#phase = SENDING;
    // An upstream's head mostly comes with the first of its body: one write for both.
    this.#wire.output.flushSoon();
  }

  retract(): boolean {
    if (this.#phase !== SENDING || !this.#isHeadHeld) return false;
    this.#isHeadHeld = false;
    this.#phase = WAITING;
    return true;
  }

  write(chunk: Uint8Array, isSole = false): boolean {
    if (this.#phase !== SENDING || this.#framing.isBodiless || chunk.length === 0) return true;
    if (this.#framing.isExceededBy(chunk)) {
      this.abort();
      return true;
    }
    if (this.#isHeadHeld && !this.writeHead()) return true;
    this.#framing.bytesSent += chunk.length;
    const { output } = this.#wire;
    if (this.#isChunked) {
      output.text(`${chunk.length.toString(16)}\r\n`);
      output.chunk(chunk, isSole);
      output.text('\r\n');
    } else {
      output.chunk(chunk, isSole);
    }
    if (!output.isFull) {
      output.flushSoon();
      return true;
    }
    output.flush();
    if (!output.isBlocked || this.#framing.bytesSent === this.#framing.announced) return true;
    this.#awaitsDrain = true;
    return false;
  }

  end(trailers?: readonly string[]): void {
    if (this.#phase !== SENDING) return;
    if (this.#framing.isShort) {
      this.abort();
      return;
    }
    if (this.#isHeadHeld && !this.writeHead()) return;
    if (this.#isChunked) {
      const last = renderLastChunk(trailers);
      if (last === undefined) {
        this.abort();
        return;
      }
      this.#wire.output.text(last);
    }
    this.#leave();
  }

  answer(status: number, headers: readonly string[], body: Uint8Array | string | undefined): void {
    if (this.#phase !== WAITING) return;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.#prepareHead(status, '', '', headers, lengthAtOnce(status, this.#isHead, bytes));
    if (!this.writeHead()) return;
    if (!this.#framing.isBodiless && bytes !== undefined && bytes.length > 0) {
      this.#framing.bytesSent = bytes.length;
      this.#wire.output.chunk(bytes);
    }
    this.#leave();
  }

  closeAfter(): void {
    this.#wire.isClosing = true;
  }

  abort(): void {
    if (this.#phase === OVER) return;
    this.#phase = OVER;
    this.#wire.cut();
  }

  upgrade(): Duplex {
    throw new Error('Requests for an upgrade are not served by this lane');
  }

  /** All of its answer is on its way. */
  get isEnded(): boolean {
    return this.#phase === ENDED;
  }

  /** Nothing of its answer has been given. */
  get isUnanswered(): boolean {
    return this.#phase === WAITING;
  }

  /** It waits for the client to read. */
  get isHeldUp(): boolean {
    return this.#awaitsDrain || this.#phase === ENDED;
  }

  /** The connection is gone. */
  clientGone(): void {
    this.#phase = OVER;
    this.observer?.onClosed(false, this.#framing.bytesSent);
  }

  /** The answer has left. */
  finished(): void {
    this.#phase = OVER;
    this.observer?.onClosed(true, this.#framing.bytesSent);
    this.#wire.answered();
  }

  /** The client has read on. */
  drained(): void {
    if (!this.#awaitsDrain || this.#phase !== SENDING) return;
    this.#awaitsDrain = false;
    this.observer?.onDrain();
  }

  /** Gives a head that was held back to the output. False: it cannot be said, and the exchange is broken off. */
  writeHead(): boolean {
    if (!this.#isHeadHeld) return true;
    this.#isHeadHeld = false;
    const text = renderAnswerHead({
      status: this.#status,
      reason: this.#reason,
      text: this.#text,
      fields: this.#fields,
      length: this.#length,
      isChunked: this.#isChunked,
      end: this.#wire.settleHead(),
    });
    this.#fields = NO_FIELDS;
    this.#text = '';
    if (text === undefined) {
      this.abort();
      return false;
    }
    this.#wire.output.text(text);
    return true;
  }

  #leave(): void {
    this.#phase = ENDED;
    if (this.intake.body !== undefined) this.#wire.settleEnd();
    this.#wire.leave();
  }

  #prepareHead(
    status: number,
    reason: string,
    text: string,
    headers: readonly string[],
    length: number | undefined,
  ): void {
    this.#isHeadHeld = true;
    this.#text = text;
    this.#status = status;
    this.#reason = reason;
    this.#fields = headers;
    this.#length = this.#framing.settle(status, this.#isHead, length);
    this.#isChunked = !this.#framing.isBodiless && length === undefined;
  }
}
