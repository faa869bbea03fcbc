/** Server-sent events, one a second. */
import type { ServerResponse } from 'node:http';

export interface EventStreamOptions {
  /** Number of events after which the stream ends; undefined: never. */
  readonly count: number | undefined;
  readonly servedBy: string;
}

const INTERVAL_MS = 1000;
const STATES = ['received', 'paid', 'packed', 'shipped'];

/** The first event goes at once, with the head. */
export function sendEvents(
  response: ServerResponse,
  { count = Infinity, servedBy }: EventStreamOptions,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let sent = 0;
  const send = () => {
    if (sent >= count) {
      clearInterval(timer);
      response.end();
      return;
    }
    const data = JSON.stringify({ order: '1', state: STATES[sent % STATES.length], servedBy });
    sent += 1;
    response.write(`id: ${sent}\nevent: order\ndata: ${data}\n\n`);
    if (sent === count) send();
  };
  const timer = setInterval(send, INTERVAL_MS);
  response.once('close', () => clearInterval(timer));
  send();
}
