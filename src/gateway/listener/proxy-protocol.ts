/** Parses the header that a proxy puts before a connection's bytes (PROXY protocol, versions 1 and 2). */
import { isIP } from 'node:net';
import { toCanonicalAddress } from '../exchange/canonical-address.ts';

/** Where the connection really comes from. */
export interface ProxySource {
  /** Canonical text. */
  readonly address: string;
  readonly port: number;
}

export type ProxyHeader =
  /** A header may still come of it. */
  | { readonly kind: 'partial' }
  | { readonly kind: 'malformed'; readonly reason: string }
  /** `source` undefined: the proxy speaks for itself (LOCAL, UNKNOWN). `length` in bytes. */
  | {
      readonly kind: 'complete';
      readonly length: number;
      readonly source: ProxySource | undefined;
    };

const V1_PREFIX = Buffer.from('PROXY ', 'latin1');
/** The longest line the specification allows, with CRLF. */
const V1_MAX_BYTES = 107;
const V2_SIGNATURE = Buffer.from([
  0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
]);
const V2_FIXED_BYTES = 16;
/** Addresses and TLVs; real ones stay far below. */
const V2_MAX_PAYLOAD_BYTES = 4096;

const PARTIAL: ProxyHeader = { kind: 'partial' };

/** https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt §2. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsAlike(bytes, V1_PREFIX)) return parseV1(bytes);
  if (startsAlike(bytes, V2_SIGNATURE)) return parseV2(bytes);
  return malformed('it begins with neither version');
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\r\n');
  if (end === -1) {
    return bytes.length >= V1_MAX_BYTES ? malformed('the line is too long') : PARTIAL;
  }
  const length = end + 2;
  const [, family, source, destination, sourcePort, destinationPort, ...rest] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (family === 'UNKNOWN') return { kind: 'complete', length, source: undefined };
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : 0;
  if (version === 0) return malformed('the family is unknown');
  const port = toPort(sourcePort);
  if (
    rest.length > 0 ||
    isIP(source ?? '') !== version ||
    isIP(destination ?? '') !== version ||
    port === undefined ||
    toPort(destinationPort) === undefined
  ) {
    return malformed('an address or a port is not one');
  }
  return { kind: 'complete', length, source: { address: toCanonicalAddress(source!), port } };
}

function parseV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_FIXED_BYTES) return PARTIAL;
  const version = bytes[12]! >> 4;
  const command = bytes[12]! & 0x0f;
  const family = bytes[13]! >> 4;
  const transport = bytes[13]! & 0x0f;
  const payload = bytes.readUInt16BE(14);
  if (version !== 2) return malformed('the version is not 2');
  if (command > 1) return malformed('the command is unknown');
  if (family > 3 || transport > 2) return malformed('the family is unknown');
  if (payload > V2_MAX_PAYLOAD_BYTES) return malformed('it is too long');
  const length = V2_FIXED_BYTES + payload;
  const isLocal = command === 0;
  const addressBytes = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (!isLocal && payload < addressBytes * 2 + (addressBytes > 0 ? 4 : 0)) {
    return malformed('the addresses are cut off');
  }
  if (bytes.length < length) return PARTIAL;
  // UNSPEC and UNIX say nothing that could stand for a client's IP address.
  if (isLocal || addressBytes === 0) return { kind: 'complete', length, source: undefined };
  const address = bytes.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + addressBytes);
  return {
    kind: 'complete',
    length,
    source: {
      address:
        family === 1
          ? address.join('.')
          : toCanonicalAddress(address.toString('hex').match(/.{4}/g)!.join(':')),
      port: bytes.readUInt16BE(V2_FIXED_BYTES + addressBytes * 2),
    },
  };
}

function startsAlike(bytes: Buffer, wanted: Buffer): boolean {
  const length = Math.min(bytes.length, wanted.length);
  return bytes.compare(wanted, 0, length, 0, length) === 0;
}

function toPort(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:0|[1-9]\d{0,4})$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function malformed(reason: string): ProxyHeader {
  return { kind: 'malformed', reason };
}
