/** A DNS server for tests: a small table of records, answered over UDP as RFC 1035 has it. */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string; readonly ttl: number }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
      readonly ttl: number;
    };

type RecordType = DnsRecord['type'];

const TYPE_CODES: Readonly<Record<RecordType, number>> = { A: 1, AAAA: 28, SRV: 33 };
const NOERROR = 0;
const SERVFAIL = 2;
const NXDOMAIN = 3;
/** To the question's name, which always begins right after the 12 bytes of the header. */
const NAME_POINTER = 0xc00c;

export interface DnsServer {
  /** `127.0.0.1:port`, for `setServers`. */
  readonly address: string;
  /** Questions asked so far, as `TYPE name`. */
  readonly questions: string[];
  /** By name; an empty list answers NODATA, an unknown name NXDOMAIN. */
  readonly records: Map<string, readonly DnsRecord[]>;
  /** `silent` lets every question time out. */
  mode: 'answer' | 'servfail' | 'silent';
  close(): Promise<void>;
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

function encodeIPv6(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const [left, right] = [groups(head), groups(tail ?? '')];
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...left, ...zeros, ...right].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  }
  return bytes;
}

function encodeData(record: DnsRecord): Buffer {
  if (record.type !== 'SRV') {
    return record.type === 'A'
      ? Buffer.from(record.address.split('.').map(Number))
      : encodeIPv6(record.address);
  }
  const fixed = Buffer.alloc(6);
  fixed.writeUInt16BE(record.priority, 0);
  fixed.writeUInt16BE(record.weight, 2);
  fixed.writeUInt16BE(record.port, 4);
  return Buffer.concat([fixed, encodeName(record.target)]);
}

function encodeRecord(record: DnsRecord): Buffer {
  const data = encodeData(record);
  const fixed = Buffer.alloc(12);
  fixed.writeUInt16BE(NAME_POINTER, 0);
  fixed.writeUInt16BE(TYPE_CODES[record.type], 2);
  fixed.writeUInt16BE(1, 4);
  fixed.writeUInt32BE(record.ttl, 6);
  fixed.writeUInt16BE(data.length, 10);
  return Buffer.concat([fixed, data]);
}

/** The one question of a message: its name and type, and its bytes. */
function decodeQuestion(message: Buffer): { name: string; code: number; bytes: Buffer } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return {
    name: labels.join('.').toLowerCase(),
    code: message.readUInt16BE(at + 1),
    bytes: message.subarray(12, at + 5),
  };
}

function respond(query: Buffer, question: Buffer, rcode: number, records: readonly DnsRecord[]) {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  // A response, recursion desired and available.
  header.writeUInt16BE(0x8180 | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question, ...records.map(encodeRecord)]);
}

export async function startDnsServer(): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const server: DnsServer = {
    address: '',
    questions: [],
    records: new Map(),
    mode: 'answer',
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { name, code, bytes } = decodeQuestion(query);
    const type = (Object.keys(TYPE_CODES) as RecordType[]).find((one) => TYPE_CODES[one] === code);
    server.questions.push(`${type} ${name}`);
    if (server.mode === 'silent') return;
    const known = server.records.get(name);
    const found = (known ?? []).filter((record) => record.type === type);
    const rcode = known === undefined ? NXDOMAIN : NOERROR;
    const answer =
      server.mode === 'servfail'
        ? respond(query, bytes, SERVFAIL, [])
        : respond(query, bytes, rcode, found);
    socket.send(answer, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return Object.assign(server, { address: `127.0.0.1:${socket.address().port}` });
}
