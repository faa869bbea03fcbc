/** Two gateways that differ in their lane alone, each before an upstream of its own that keeps what it is sent. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import type { LaneChoice } from '../../../src/gateway/config/listener-config.ts';
import {
  startRecordingUpstream,
  type Answering,
  type RecordingUpstream,
} from '../bad-input/recording-upstream.ts';
import { dialTls, type DoorName } from '../bad-input/doors.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';

/** What one lane made of the bytes of a connection. */
export interface Outcome {
  /** All that came back, without what is different each time. */
  readonly answers: string;
  /** The requests that became whole at the upstream. */
  readonly forwarded: readonly object[];
  /** Bytes that were no request to the upstream's parser. */
  readonly garbled: readonly string[];
}

export interface LanePair {
  /** Sends pieces over one connection on each lane, and waits until both have closed it. */
  compare(pieces: readonly string[], door?: DoorName): Promise<Record<LaneChoice, Outcome>>;
  stop(): Promise<void>;
}

/** So short that a connection that waits for what never comes is closed soon; what is sent comes at once. */
const WAIT = '500ms';

/** Limits are those of `malformed-http1.ts`. */
export async function startLanePair(): Promise<LanePair> {
  const lanes = await Promise.all([startLane('auto'), startLane('full')]);
  return {
    async compare(pieces, door = 'http') {
      const [auto, full] = await Promise.all(lanes.map((lane) => lane.observe(pieces, door)));
      return { auto: auto!, full: full! };
    },
    async stop() {
      await Promise.all(lanes.map((lane) => lane.stop()));
    },
  };
}

interface Lane {
  observe(pieces: readonly string[], door: DoorName): Promise<Outcome>;
  stop(): Promise<void>;
}

async function startLane(lane: LaneChoice): Promise<Lane> {
  const upstream = await startRecordingUpstream();
  const common = {
    address: '127.0.0.1:0',
    lane,
    limits: { body: '64KiB', headerTimeout: WAIT, idleTimeout: WAIT },
  };
  const gateway = await startGateway({
    listeners: [
      { ...common, name: 'http' },
      { ...common, name: 'https', protocol: 'https', tls: { selfSigned: ['localhost'] } },
    ],
    services: {
      recorder: {
        endpoints: [{ address: upstream.address }],
        timeouts: { response: WAIT, idle: WAIT },
        retry: { attempts: 0 },
        // Nothing that was sent is to tell the next case that the upstream is not well.
        outlierDetection: false,
      },
    },
    routes: [
      {
        name: 'local',
        match: { path: '/local' },
        respond: { status: 200, body: 'of the gateway' },
      },
      { name: 'all', to: 'recorder' },
    ],
  });
  return {
    async observe(pieces, door) {
      upstream.forget();
      upstream.answering = answerWithBody;
      const answers = await converse(gateway, door, pieces);
      return {
        answers: withoutChance(answers),
        forwarded: upstream.requests.filter(({ complete }) => complete).map(toForwarded),
        garbled: upstream.garbled,
      };
    },
    async stop() {
      await gateway.stop();
      await upstream.close();
    },
  };
}

/** All that comes back until the gateway closes the connection. */
async function converse(
  gateway: TestGateway,
  door: DoorName,
  pieces: readonly string[],
): Promise<string> {
  const socket = await open(gateway, door);
  let text = '';
  const closed = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    // A connection that is cut may be reset, which is no difference to the client.
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve());
  });
  for (const piece of pieces) {
    socket.write(piece, 'latin1');
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await closed;
  return text;
}

/** Of thousands, so that nothing is kept of one that is closed, as a `RawClient` would be until its test ends. */
async function open(gateway: TestGateway, door: DoorName): Promise<Socket> {
  if (door === 'https') {
    const socket = dialTls(gateway);
    await once(socket, 'secureConnect');
    return socket;
  }
  const socket = connectTcp({ port: gateway.httpPort, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

const answerWithBody: Answering = (request, response, { target, body, trailers }) => {
  response.setHeader('X-Method', request.method!);
  if (target.startsWith('/early')) response.writeEarlyHints({ link: '</a.css>; rel=preload' });
  if (target.startsWith('/204')) response.writeHead(204).end();
  else if (target.startsWith('/304')) response.writeHead(304, { 'Content-Length': 7 }).end();
  else if (target.startsWith('/chunks')) {
    response.writeHead(200, { Trailer: 'X-Sum', 'Transfer-Encoding': 'chunked' });
    response.write('some');
    response.addTrailers({ 'X-Sum': '4' });
    response.end();
  } else {
    response.end(`answer to ${target} with ${body} and ${trailers.join()};`);
  }
};

function toForwarded(request: RecordingUpstream['requests'][number]): object {
  const { method, target, fields, body, trailers } = request;
  // Lines of different names have no order among each other (RFC 9110 §5.3); those of one name have theirs.
  const byName: Record<string, string[]> = {};
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const key = name.toLowerCase();
    (byName[key] ??= []).push(`${name}: ${CHANCE.has(key) ? '*' : fields[i + 1]!}`);
  }
  const lines = Object.keys(byName)
    .sort()
    .flatMap((name) => byName[name]!);
  return { method, target, lines, body, trailers };
}

/** Fields of forwarded requests whose values are different each time. */
const CHANCE: ReadonlySet<string> = new Set(['x-forwarded-port', 'x-request-id', 'traceparent']);

function withoutChance(text: string): string {
  return (
    text
      .replaceAll(/^Date: .*\r$/gm, 'Date: *')
      .replaceAll(/^X-Request-Id: .*\r$/gim, 'X-Request-Id: *')
      .replaceAll(/"request_id":"[^"]*"/g, '"request_id":"*"')
      // The parsers have their own words for what is wrong.
      .replaceAll(/"The bytes are not an HTTP request: [^"]*/g, '"The bytes are not …')
      .replaceAll(PROBLEM_LENGTH, '$1*')
  );
}

const PROBLEM_LENGTH =
  /^(Content-Type: application\/problem\+json\r\n(?:[^\r]+\r\n)*?Content-Length: )\d+/gm;
