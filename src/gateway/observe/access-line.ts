/** The line of the access log for an exchange that went well, put together without the record and its JSON. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import { statusOf, toIsoTime } from './access-log.ts';
import type { LineBlock } from './line-block.ts';

/**
 * Names that lines repeat, as they stand in JSON; bounded, for clients choose some of them, and there may be
 * very many routes. Of each with its key, since one copy of both costs less than two.
 */
class RepeatedField {
  readonly #name: string;
  readonly #key: Uint8Array;
  readonly #known = new Map<string, Known>();
  /** What the line before had: mostly this one has it too, which is told without a look-up. */
  #last: Known | undefined;

  constructor(key: string) {
    this.#name = `,${JSON.stringify(key)}:`;
    this.#key = toOctets(this.#name);
  }

  write(block: LineBlock, value: string): void {
    const last = this.#last;
    if (last !== undefined && value === last.value) {
      block.octets(last.octets);
      return;
    }
    const known = this.#known.get(value) ?? this.#remember(value);
    if (known !== undefined) {
      this.#last = known;
      block.octets(known.octets);
    } else {
      block.octets(this.#key);
      block.text(value);
    }
  }

  #remember(value: string): Known | undefined {
    if (this.#known.size === MAX_KNOWN) return undefined;
    const json = JSON.stringify(value);
    // A copy: what is cut from a head would keep all of it.
    const copy = JSON.parse(json) as string;
    const known = { value: copy, octets: toOctets(this.#name + json) };
    this.#known.set(copy, known);
    return known;
  }
}

interface Known {
  readonly value: string;
  readonly octets: Uint8Array;
}
const MAX_KNOWN = 1024;

function toOctets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

const LISTENER = new RepeatedField('listener');
const PROTOCOL = new RepeatedField('protocol');
const CLIENT_IP = new RepeatedField('client_ip');
const METHOD = new RepeatedField('method');
const HOST = new RepeatedField('host');
const ROUTE = new RepeatedField('route');
const SERVICE = new RepeatedField('service');
const ENDPOINT = new RepeatedField('endpoint');
const CONSUMER = new RepeatedField('consumer');

const TRACE_ID = toOctets(',"trace_id":');
const PATH = toOctets(',"path":');
const STATUS = toOctets(',"status":');
const DURATION = toOctets(',"duration_ms":');
const BYTES_IN = toOctets(',"bytes_in":');
const BYTES_OUT = toOctets(',"bytes_out":');
const ATTEMPTS = toOctets(',"attempts":');
const UPSTREAM = toOctets(',"upstream_ms":');
const END = toOctets('}\n');

/** Nothing went wrong with it that its line would have to tell. */
export function isPlain({ outcome, request }: GatewayExchange): boolean {
  return outcome.code === '' && outcome.reason === '' && request.path !== '';
}

let timeMs = Number.NaN;
let time = END;

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
  if (nowMs !== timeMs) {
    timeMs = nowMs;
    time = toOctets(`{"time":"${toIsoTime(nowMs)}","request_id":`);
  }
  block.begin();
  block.octets(time);
  block.text(exchange.id);
  if (trace !== undefined) {
    block.octets(TRACE_ID);
    block.text(trace.traceId);
  }
  LISTENER.write(block, exchange.listener);
  PROTOCOL.write(block, peer.protocol);
  CLIENT_IP.write(block, peer.ip);
  METHOD.write(block, request.method);
  HOST.write(block, request.host);
  block.octets(PATH);
  block.text(request.path);
  block.octets(STATUS);
  block.integer(statusOf(exchange));
  block.octets(DURATION);
  block.thousandths(Math.round(durationMs * 1000));
  block.octets(BYTES_IN);
  block.integer(outcome.bytesIn);
  block.octets(BYTES_OUT);
  block.integer(outcome.bytesOut);
  ROUTE.write(block, exchange.route);
  SERVICE.write(block, exchange.service);
  if (upstream.attempts > 0) {
    ENDPOINT.write(block, upstream.endpoint);
    block.octets(ATTEMPTS);
    block.integer(upstream.attempts);
    if (upstream.headAt > 0) {
      block.octets(UPSTREAM);
      block.thousandths(Math.round((upstream.headAt - upstream.sentAt) * 1000));
    }
  }
  if (consumer !== undefined) CONSUMER.write(block, consumer.name);
  block.octets(END);
}
