/** The line of the access log for an exchange that went well, put together without the record and its JSON. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import { UUID_LENGTH, type RequestId } from '../exchange/request-id.ts';
import { statusOf } from './access-log.ts';
import { LinePiece, type LineBlock } from './line-block.ts';
import { TRACE_ID_LENGTH, type TraceContext } from './trace-context.ts';

/**
 * Names that lines repeat, as they stand in JSON; bounded, for clients choose some of them, and there may be
 * very many routes. Of each with its key, since one copy of both costs less than two.
 */
class RepeatedField {
  readonly #before: string;
  readonly #key: LinePiece;
  readonly #known = new Map<string, Known>();
  /** What the line before had: mostly this one has it too, which is told without a look-up. */
  #last: Known | undefined;

  /** `before` ends with the quote before the value. */
  constructor(before: string) {
    this.#before = before;
    this.#key = new LinePiece(before);
  }

  write(block: LineBlock, value: string): void {
    let known = this.#last;
    if (known === undefined || value !== known.value) {
      known = this.#known.get(value) ?? this.#remember(value);
      if (known === undefined) {
        block.piece(this.#key);
        block.text(value);
        block.piece(QUOTE);
        return;
      }
      this.#last = known;
    }
    block.piece(known.piece);
  }

  #remember(value: string): Known | undefined {
    if (this.#known.size === MAX_KNOWN) return undefined;
    const json = JSON.stringify(value);
    // A copy: what is cut from a head would keep all of it.
    const copy = JSON.parse(json) as string;
    const known = { value: copy, piece: new LinePiece(this.#before + json.slice(1)) };
    this.#known.set(copy, known);
    return known;
  }
}

interface Known {
  readonly value: string;
  readonly piece: LinePiece;
}
const MAX_KNOWN = 1024;

// Each ends a text where the one before it leaves one open.
const TRACE_ID = new LinePiece('","trace_id":"');
const LISTENER = new RepeatedField('","listener":"');
const PROTOCOL = new RepeatedField(',"protocol":"');
const CLIENT_IP = new RepeatedField(',"client_ip":"');
const METHOD = new RepeatedField(',"method":"');
const HOST = new RepeatedField(',"host":"');
const PATH = new LinePiece(',"path":"');
const STATUS = new LinePiece('","status":');
const DURATION = new LinePiece(',"duration_ms":');
const BYTES_IN = new LinePiece(',"bytes_in":');
const BYTES_OUT = new LinePiece(',"bytes_out":');
const NO_BYTES_IN = new LinePiece(',"bytes_in":0,"bytes_out":');
const ROUTE = new RepeatedField(',"route":"');
const SERVICE = new RepeatedField(',"service":"');
const ENDPOINT = new RepeatedField(',"endpoint":"');
const ATTEMPTS = new LinePiece(',"attempts":');
const UPSTREAM = new LinePiece(',"upstream_ms":');
const ONE_ATTEMPT = new LinePiece(',"attempts":1,"upstream_ms":');
const CONSUMER = new RepeatedField(',"consumer":"');
const QUOTE = new LinePiece('"');
const END = new LinePiece('}\n');

/** Nothing went wrong with it that its line would have to tell. */
export function isPlain({ outcome, request }: GatewayExchange): boolean {
  return outcome.code === '' && outcome.reason === '' && request.path !== '';
}

/** The beginning of lines: of one and the next mostly only the milliseconds differ. */
class TimeField {
  #piece = END;
  /** Its memory. */
  #octets: Uint8Array = new Uint8Array();
  #second = Number.NaN;
  #ms = 0;
  /** Where the three digits of the milliseconds are. */
  #digits = 0;

  at(nowMs: number): LinePiece {
    const second = Math.floor(nowMs / 1000);
    const ms = nowMs - second * 1000;
    if (second !== this.#second) {
      const text = `{"time":"${new Date(second * 1000).toISOString()}","request_id":"`;
      this.#piece = new LinePiece(text);
      this.#octets = new Uint8Array(this.#piece.words.buffer);
      this.#digits = text.indexOf('.') + 1;
      this.#second = second;
      this.#ms = 0;
    }
    if (ms !== this.#ms) this.#write(ms);
    return this.#piece;
  }

  #write(ms: number): void {
    const octets = this.#octets;
    const tens = (ms / 10) | 0;
    const hundreds = (tens / 10) | 0;
    octets[this.#digits] = ZERO + hundreds;
    octets[this.#digits + 1] = ZERO + tens - hundreds * 10;
    octets[this.#digits + 2] = ZERO + ms - tens * 10;
    this.#ms = ms;
  }
}
const ZERO = 0x30;
const TIME = new TimeField();

/**
 * Writes what `toAccessRecord` has as JSON, to the octet: a JSON of some 18 fields costs more than all
 * that routing does. The line is not there in the end (`LineBlock.end`) where a text needs escapes. Only
 * for exchanges that are plain.
 */
export function composeAccessLine(
  block: LineBlock,
  exchange: GatewayExchange,
  nowMs: number,
  durationMs: number,
): void {
  const { request, peer, upstream, outcome, trace, consumer } = exchange;
  block.begin();
  block.piece(TIME.at(nowMs));
  writeId(block, exchange.requestId);
  if (trace !== undefined) writeTrace(block, trace);
  LISTENER.write(block, exchange.listener);
  PROTOCOL.write(block, peer.protocol);
  CLIENT_IP.write(block, peer.ip);
  METHOD.write(block, request.method);
  HOST.write(block, request.host);
  block.piece(PATH);
  block.text(request.path);
  block.piece(STATUS);
  block.integer(statusOf(exchange));
  block.piece(DURATION);
  block.thousandths(Math.round(durationMs * 1000));
  if (outcome.bytesIn === 0) {
    block.piece(NO_BYTES_IN);
  } else {
    block.piece(BYTES_IN);
    block.integer(outcome.bytesIn);
    block.piece(BYTES_OUT);
  }
  block.integer(outcome.bytesOut);
  ROUTE.write(block, exchange.route);
  SERVICE.write(block, exchange.service);
  if (upstream.attempts > 0) writeUpstream(block, exchange);
  if (consumer !== undefined) CONSUMER.write(block, consumer.name);
  block.piece(END);
}

function writeId(block: LineBlock, { text, octets, at }: RequestId): void {
  if (octets === undefined) block.text(text);
  else block.ascii(octets, at, UUID_LENGTH);
}

function writeTrace(block: LineBlock, { traceId, octets, at }: TraceContext): void {
  block.piece(TRACE_ID);
  if (octets === undefined) block.text(traceId);
  else block.ascii(octets, at, TRACE_ID_LENGTH);
}

function writeUpstream(block: LineBlock, { upstream }: GatewayExchange): void {
  const { endpoint, attempts, headAt, sentAt } = upstream;
  ENDPOINT.write(block, endpoint);
  if (attempts === 1 && headAt > 0) {
    block.piece(ONE_ATTEMPT);
  } else {
    block.piece(ATTEMPTS);
    block.integer(attempts);
    if (headAt === 0) return;
    block.piece(UPSTREAM);
  }
  block.thousandths(Math.round((headAt - sentAt) * 1000));
}
