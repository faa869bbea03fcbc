/** The ids of requests: those that the gateway gives are random UUIDs (RFC 9562, version 4). */
import { toFieldLine } from '../../plugins/sdk/header-fields.ts';
import { cut, toHexDigit } from '../../mesh/transport/octets.ts';
import { DrawnLines } from './drawn-lines.ts';

export interface RequestId {
  readonly text: string;
  /** The field line that both sides of an exchange are told it by. */
  readonly line: string;
  /** The id has `UUID_LENGTH` of them from `at` on; undefined: it is the caller's own. */
  readonly octets: DataView | undefined;
  readonly at: number;
}

const BEFORE = 'X-Request-Id: ';
export const UUID_LENGTH = 36;

class DrawnId implements RequestId {
  readonly line: string;
  readonly octets: DataView;
  readonly at: number;

  constructor(line: string, octets: DataView, lineAt: number) {
    this.line = line;
    this.octets = octets;
    this.at = lineAt + BEFORE.length;
  }

  /** Most requests are never asked for it. */
  get text(): string {
    return cut(this.line, BEFORE.length, BEFORE.length + UUID_LENGTH);
  }
}

const drawn = new DrawnLines<RequestId>(
  `${BEFORE}########-####-####-####-############\r\n`,
  (line, octets, lineAt) => new DrawnId(line, octets, lineAt),
  (octets, lineAt) => {
    const at = lineAt + BEFORE.length;
    // The version and the variant, which is 8, 9, a or b (RFC 9562 §5.4).
    octets.setUint8(at + 14, 0x34);
    const digit = toHexDigit(octets.getUint8(at + 19)) & 0x03;
    octets.setUint8(at + 19, digit < 2 ? 0x38 + digit : 0x5f + digit);
  },
);

/** A version 4 UUID that no other request has. */
export function drawRequestId(): RequestId {
  return drawn.next();
}

/** That of a request which has one already. */
export function toRequestId(text: string): RequestId {
  return { text, line: toFieldLine('X-Request-Id', text), octets: undefined, at: 0 };
}
