/** gRPC checks: grpc.health.v1.Health/Check, which passes with SERVING alone. */
import { BufferedBody } from '../transport/buffered-body.ts';
import { grpcStatusOf } from './grpc-status.ts';
import type { Probe, ProbeProtocol, ProbeReport } from './probe.ts';
import { createRequestProbe } from './request-probe.ts';

export interface GrpcCheck {
  /** The service to ask about; empty: the server as a whole. */
  readonly service: string;
}

const SERVING = 1;
/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** Flag and length, before each message of a stream. */
const FRAME_HEAD_BYTES = 5;
/** The first field, as a varint and as bytes (protobuf wire types 0 and 2). */
const FIELD_1_VARINT = 0x08;
const FIELD_1_BYTES = 0x0a;

/** For services over HTTP/2. */
export function createGrpcProbe({ service }: GrpcCheck, protocol: ProbeProtocol): Probe {
  const message = toRequestFrame(service);
  return createRequestProbe(
    {
      method: 'POST',
      target: '/grpc.health.v1.Health/Check',
      authority: undefined,
      headers: ['content-type', 'application/grpc', 'te', 'trailers'],
      body: () => new BufferedBody(message),
      judgeHead(status, headers) {
        if (status !== 200) return { result: 'fail', detail: `status ${status}` };
        const code = grpcStatusOf(headers);
        return code === undefined ? undefined : judgeAnswer(code, undefined);
      },
      judgeEnd: (body, trailers) => judgeAnswer(grpcStatusOf(trailers), toServingStatus(body)),
    },
    protocol,
  );
}

function judgeAnswer(code: string | undefined, serving: number | undefined): ProbeReport {
  if (code !== '0') return { result: 'fail', detail: `grpc-status ${code ?? 'missing'}` };
  if (serving === undefined) return { result: 'fail', detail: 'no message in the answer' };
  return {
    result: serving === SERVING ? 'pass' : 'fail',
    detail: STATUS_NAMES[serving] ?? `serving status ${serving}`,
  };
}

/** HealthCheckRequest { string service = 1; }, framed and not compressed. */
export function toRequestFrame(service: string): Uint8Array {
  const name = Buffer.from(service);
  const field = name.length === 0 ? [] : [FIELD_1_BYTES, ...toVarint(name.length), ...name];
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + field.length);
  frame.writeUInt32BE(field.length, 1);
  frame.set(field, FRAME_HEAD_BYTES);
  return frame;
}

function toVarint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  return [...bytes, left];
}

/** HealthCheckResponse { ServingStatus status = 1; }; UNKNOWN, which is 0, is not written at all. */
export function toServingStatus(body: Uint8Array): number | undefined {
  if (body.length < FRAME_HEAD_BYTES || body[0] !== 0) return undefined;
  const message = body.subarray(FRAME_HEAD_BYTES);
  if (message.length === 0) return 0;
  return message[0] === FIELD_1_VARINT ? message[1] : undefined;
}
