/** Clients that ask all the time, each on a connection that it keeps, and count what goes wrong. */
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, constants } from 'node:http2';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

export interface LoadOptions {
  readonly port: number;
  /** Clients of HTTP/1.1, and of HTTP/2 by prior knowledge. Default 4 and 1. */
  readonly http1?: number;
  readonly http2?: number;
  /** Default `/`. */
  readonly path?: string;
}

export interface Load {
  /** Answers of status 200 with the whole body. */
  readonly succeeded: number;
  /** What went wrong, in words. */
  readonly failures: readonly string[];
  /** Resolves when so many more have succeeded, or anything has failed. */
  more(count: number): Promise<void>;
  /** Resolves when every client has been told that its connection ends, and has left. */
  readonly left: Promise<void>;
  /** Clients end after the request they are at. */
  stop(): Promise<void>;
}

/** Between two requests, so that a test of many processes leaves them a processor. */
const THINK_MS = 4;

/**
 * A client that is told of the connection's end (`Connection: close`, GOAWAY) asks nothing more,
 * as one behind a load balancer would go on to another node.
 */
export function startLoad(options: LoadOptions): Load {
  const failures: string[] = [];
  const waiting = new Set<() => void>();
  const stopping = new AbortController();
  let succeeded = 0;

  async function run(ask: Ask): Promise<void> {
    let result: Asked = 'answered';
    while (result === 'answered' && !stopping.signal.aborted) {
      try {
        result = await ask();
        if (result !== 'not sent') succeeded++;
      } catch (error) {
        failures.push(error instanceof Error ? `${error.name} ${error.message}` : String(error));
        result = 'not sent';
      }
      for (const look of waiting) look();
      await pause(THINK_MS);
    }
  }

  const clients = [
    ...Array.from({ length: options.http1 ?? 4 }, () => runHttp1(options, run)),
    ...Array.from({ length: options.http2 ?? 1 }, () => runHttp2(options, run)),
  ];
  const left = Promise.all(clients).then(() => undefined);

  return {
    get succeeded() {
      return succeeded;
    },
    failures,
    more(count) {
      const goal = succeeded + count;
      return new Promise((reached) => {
        const look = (): void => {
          if (succeeded < goal && failures.length === 0) return;
          waiting.delete(look);
          reached();
        };
        waiting.add(look);
        look();
      });
    },
    left,
    stop() {
      stopping.abort();
      return left;
    },
  };
}

/** `not sent`: the connection's end was known before the request left this client. */
type Asked = 'answered' | 'answered last' | 'not sent';
type Ask = () => Promise<Asked>;
type Run = (ask: Ask) => Promise<void>;

async function runHttp1({ port, path = '/' }: LoadOptions, run: Run): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await run(async () => {
    const asked = request({ host: '127.0.0.1', port, path, agent }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const body = await text(response);
    assertAnswered(response.statusCode, body);
    return response.headers.connection === 'close' ? 'answered last' : 'answered';
  });
  agent.destroy();
}

async function runHttp2({ port, path = '/' }: LoadOptions, run: Run): Promise<void> {
  const session = connect(`http://127.0.0.1:${port}`);
  const lost = new Promise<never>((_resolve, reject) => session.once('error', reject));
  // Told by the streams that it breaks.
  lost.catch(() => undefined);
  let open = true;
  session.once('goaway', () => (open = false));
  await Promise.race([once(session, 'connect'), lost]);
  await run(async () => {
    // Told to go between two requests.
    if (!open) return 'not sent';
    const stream = session.request({ ':path': path });
    try {
      const [headers] = (await once(stream, 'response')) as [{ ':status'?: number }];
      assertAnswered(headers[':status'], await text(stream));
    } catch (error) {
      // Made before GOAWAY was read and not yet written: nghttp2 refuses it on this side.
      if (!open && stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return 'not sent';
      throw error;
    }
    return open ? 'answered' : 'answered last';
  });
  session.close();
}

function assertAnswered(status: number | undefined, body: string): void {
  if (status !== 200 || !body.startsWith('ok')) throw new Error(`answered ${status}: ${body}`);
}
