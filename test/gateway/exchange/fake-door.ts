/** A door for the lane's tests: remembers what comes, answers what it is told to. */
import { HeaderFields } from '../../../src/plugins/sdk/header-fields.ts';
import type { MeshgateError } from '../../../src/errors.ts';
import type { Answer } from '../../../src/plugins/sdk/answer.ts';
import type { Connection } from '../../../src/gateway/exchange/connection.ts';
import type { Door, Downstream, Intake } from '../../../src/gateway/exchange/lane.ts';

export type Handler = (intake: Intake, downstream: Downstream) => void;

export interface Closed {
  readonly complete: boolean;
  readonly bytesSent: number;
}

export class FakeDoor implements Door {
  readonly served: Intake[] = [];
  readonly refused: { readonly connection: Connection; readonly error: MeshgateError }[] = [];
  readonly closed: Closed[] = [];
  handler: Handler;
  #waiting: (() => void)[] = [];

  constructor(handler: Handler = echo) {
    this.handler = handler;
  }

  serve(intake: Intake, downstream: Downstream): void {
    this.served.push(intake);
    downstream.observer = {
      onDrain: () => undefined,
      onClosed: (complete, bytesSent) => {
        this.closed.push({ complete, bytesSent });
        this.#wake();
      },
    };
    this.handler(intake, downstream);
    this.#wake();
  }

  refuse(connection: Connection, error: MeshgateError): Answer {
    this.refused.push({ connection, error });
    this.#wake();
    return {
      status: error.status,
      headers: ['Content-Type', 'application/problem+json', ...error.headers],
      body: JSON.stringify({ code: error.code, detail: error.message }),
    };
  }

  /** Resolves as soon as what the door has seen meets the condition. */
  async until(condition: (door: this) => boolean): Promise<void> {
    while (!condition(this)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** What `echo` answers with, in JSON. */
export interface Echoed {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly headers: string[];
  readonly body: string;
  readonly trailers: string[] | null;
  readonly error: string | null;
}

/** Reads the whole body and answers what was received. */
export function echo(intake: Intake, downstream: Downstream): void {
  const { method, target, authority } = intake;
  const headers = new HeaderFields(intake.headers, intake.text).raw;
  readBody(intake, (body, trailers, error) => {
    const text = JSON.stringify({
      method,
      target,
      authority,
      headers,
      body: body.toString('latin1'),
      trailers: trailers ?? null,
      error: error?.message ?? null,
    });
    downstream.answer(error === undefined ? 200 : 400, ['Content-Type', 'application/json'], text);
  });
}

/** What `pour` has done so far. */
export interface Poured {
  /** Chunks. */
  sent: number;
  /** How often it had to wait for the client. */
  held: number;
}

/** Answers with `count` times `chunk` (Infinity: without end), as fast as the client takes it. */
export function pour(downstream: Downstream, chunk: Uint8Array, count: number): Poured {
  const poured = { sent: 0, held: 0 };
  const pump = (): void => {
    while (poured.sent < count) {
      poured.sent++;
      if (!downstream.write(chunk)) {
        poured.held++;
        return;
      }
    }
    downstream.end();
  };
  downstream.head(
    200,
    '',
    new HeaderFields(),
    count === Infinity ? undefined : count * chunk.length,
  );
  downstream.observer = { ...downstream.observer!, onDrain: pump };
  pump();
  return poured;
}

export function readBody(
  intake: Intake,
  done: (body: Buffer, trailers: readonly string[] | undefined, error: Error | undefined) => void,
): void {
  if (intake.body === undefined) {
    done(Buffer.alloc(0), undefined, undefined);
    return;
  }
  const chunks: Uint8Array[] = [];
  intake.body.start({
    onData: (chunk) => void chunks.push(chunk),
    onEnd: (trailers) => done(Buffer.concat(chunks), trailers, undefined),
    onError: (error) => done(Buffer.concat(chunks), undefined, error),
  });
}
