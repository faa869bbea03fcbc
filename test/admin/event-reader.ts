/** Reads server-sent events of a test's admin API, as fast as the test likes. */
import { request, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';

export interface ServerEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export interface EventReader {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly response: IncomingMessage;
  /** The next event that fits; rejects where the stream ends before. */
  next(fits?: (event: ServerEvent) => boolean): Promise<ServerEvent>;
  /** Resolves when a comment has come after this call. */
  beat(): Promise<void>;
  /** All that have come, in order. */
  readonly events: readonly ServerEvent[];
  /** Resolves when the stream is over, well or not. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Resolves once the head of the answer is there. Closed when the test has finished. */
export function readEvents(
  port: number,
  path: string,
  token: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventReader> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      agent: false,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    onTestFinished(() => void sent.destroy());
    sent.on('error', reject);
    sent.on('response', (response) => resolve(createReader(response, () => sent.destroy())));
    sent.end();
  });
}

function createReader(response: IncomingMessage, close: () => void): EventReader {
  const events: ServerEvent[] = [];
  const waiting = new Set<() => void>();
  let beats = 0;
  let isEnded = false;
  let text = '';
  const wake = (): void => {
    for (const look of waiting) look();
  };
  const ended = new Promise<void>((resolve) => {
    response.on('close', () => {
      isEnded = true;
      wake();
      resolve();
    });
  });
  response.on('error', () => undefined);
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line): [string, string] => {
          const colon = line.indexOf(':');
          return [line.slice(0, colon), line.slice(colon + 1).trim()];
        }),
      );
      const event = fields.get('event');
      if (event === undefined) beats++;
      else events.push({ event, data: JSON.parse(fields.get('data')!) as ServerEvent['data'] });
    }
    wake();
  });

  function when<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const again = (): void => {
        const found = look();
        if (found === undefined && !isEnded) return;
        waiting.delete(again);
        if (found === undefined) reject(new Error(`the stream is over: ${JSON.stringify(events)}`));
        else resolve(found);
      };
      waiting.add(again);
      again();
    });
  }

  let taken = 0;
  return {
    status: response.statusCode!,
    headers: response.headers,
    response,
    events,
    ended,
    close,
    next: (fits = () => true) =>
      when(() => {
        const at = events.findIndex((event, i) => i >= taken && fits(event));
        if (at === -1) return undefined;
        taken = at + 1;
        return events[at];
      }),
    async beat() {
      const before = beats;
      await when(() => (beats > before ? true : undefined));
    },
  };
}
