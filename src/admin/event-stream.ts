/** A stream of server-sent events, for an answer that goes on until somebody ends it. */
import { Readable } from 'node:stream';

export const EVENT_STREAM = 'text/event-stream';

export interface EventStream {
  /** What is sent as the answer. */
  readonly body: Readable;
  /** `data` is one line. False: the reader is behind; `onRoom` says when it is not any more. */
  send(event: string, data: string): boolean;
  /** A comment, so that both sides find out when the other has gone. */
  beat(): void;
  /** Sends a last event. */
  end(event: string, data: string): void;
  /** Lets go of a reader that takes nothing. */
  abandon(): void;
  /** The reader is behind. */
  readonly isBehind: boolean;
}

/** Waiting here for the reader, beside what the system keeps for the socket. */
const MAX_WAITING_BYTES = 64 * 1024;

export function createEventStream(handlers: {
  /** The reader has taken what was waiting. */
  readonly onRoom: () => void;
  /** Once, whoever ended it. */
  readonly onClosed: () => void;
}): EventStream {
  let isBehind = false;
  let isEnded = false;
  const body = new Readable({
    highWaterMark: MAX_WAITING_BYTES,
    read() {
      if (!isBehind || isEnded) return;
      isBehind = false;
      handlers.onRoom();
    },
    destroy(error, done) {
      isEnded = true;
      handlers.onClosed();
      done(error);
    },
  });

  function push(text: string): boolean {
    if (isEnded) return false;
    if (!body.push(text)) isBehind = true;
    return !isBehind;
  }

  // The head goes out with the first bytes.
  push(':\n\n');
  return {
    body,
    send: (event, data) => push(`event: ${event}\ndata: ${data}\n\n`),
    beat: () => void push(':\n\n'),
    end(event, data) {
      if (isEnded) return;
      push(`event: ${event}\ndata: ${data}\n\n`);
      isEnded = true;
      body.push(null);
    },
    abandon: () => body.destroy(),
    get isBehind() {
      return isBehind;
    },
  };
}
