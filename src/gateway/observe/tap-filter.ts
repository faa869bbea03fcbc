/** Which exchanges a reader of the tap wants to see: compared in place, nothing is allocated. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import { statusOf } from './access-log.ts';

/** What is undefined fits everything. */
export interface TapFilter {
  readonly route?: string | undefined;
  readonly service?: string | undefined;
  /** Name of the consumer. */
  readonly consumer?: string | undefined;
  readonly method?: string | undefined;
  /** Paths that begin so. */
  readonly pathPrefix?: string | undefined;
  /** Any of them. */
  readonly statuses?: readonly StatusRange[] | undefined;
  /** Whether the reader may see what goes by this route to this service. */
  readonly admits?: ((route: string, service: string) => boolean) | undefined;
}

/** Both are included. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** `404`, `5xx`, or several with commas between them. */
export const STATUSES = '^[1-5](?:[0-9]{2}|xx)(?:,[1-5](?:[0-9]{2}|xx)){0,9}$';

/** Of a text that fits `STATUSES`. */
export function parseStatuses(text: string): readonly StatusRange[] {
  return text.split(',').map((one) => {
    const from = Number(one.replace('xx', '00'));
    return { from, to: one.endsWith('xx') ? from + 99 : from };
  });
}

export function fits(filter: TapFilter, exchange: GatewayExchange): boolean {
  const { route, service, consumer, method, pathPrefix, statuses, admits } = filter;
  if (route !== undefined && exchange.route !== route) return false;
  if (service !== undefined && exchange.service !== service) return false;
  if (consumer !== undefined && exchange.consumer?.name !== consumer) return false;
  if (method !== undefined && exchange.request.method !== method) return false;
  if (pathPrefix !== undefined && !exchange.request.path.startsWith(pathPrefix)) return false;
  if (statuses !== undefined && !isAmong(statuses, statusOf(exchange))) return false;
  return admits === undefined || admits(exchange.route, exchange.service);
}

function isAmong(ranges: readonly StatusRange[], status: number): boolean {
  for (const { from, to } of ranges) if (status >= from && status <= to) return true;
  return false;
}
