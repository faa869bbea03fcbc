/** gRPC statuses as HTTP's, so that one rule judges the answers of both. */
import { sameName } from '../../plugins/sdk/header-fields.ts';

/** The value of grpc-status in a head, which then has no body, or in trailers. */
export function grpcStatusOf(fields: readonly string[]): string | undefined {
  for (let i = 0; i < fields.length; i += 2) {
    if (sameName(fields[i]!, 'grpc-status')) return fields[i + 1];
  }
  return undefined;
}

/** Those that tell of the server and not of the call; source: Envoy, grpcToHttpStatus. */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  '2': 500, // UNKNOWN
  '4': 504, // DEADLINE_EXCEEDED
  '8': 429, // RESOURCE_EXHAUSTED
  '13': 500, // INTERNAL
  '14': 503, // UNAVAILABLE
  '15': 500, // DATA_LOSS
};

/** 200 for what is the caller's own fault. */
export function toHttpStatus(grpcStatus: string): number {
  return HTTP_STATUS[grpcStatus] ?? 200;
}
