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
  /** What the reader may see: what goes by one of these routes, or to one of these services. */
  readonly visible?: VisibleNames | undefined;
}

/** Names that begin with one of the texts; of none of them: no name. */
export interface VisibleNames {
  readonly routes: readonly string[];
  readonly services: readonly string[];
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
  const { route, service, consumer, method, pathPrefix, statuses, visible } = filter;
  if (route !== undefined && exchange.route !== route) return false;
  if (service !== undefined && exchange.service !== service) return false;
  if (consumer !== undefined && exchange.consumer?.name !== consumer) return false;
  if (method !== undefined && exchange.request.method !== method) return false;
  if (pathPrefix !== undefined && !exchange.request.path.startsWith(pathPrefix)) return false;
  if (statuses !== undefined && !isAmong(statuses, statusOf(exchange))) return false;
  if (visible === undefined) return true;
  return (
    beginsWithAny(exchange.route, visible.routes) ||
    beginsWithAny(exchange.service, visible.services)
  );
}

/** Not the empty name, which is nobody's. */
function beginsWithAny(name: string, prefixes: readonly string[]): boolean {
  if (name === '') return false;
  for (const prefix of prefixes) if (name.startsWith(prefix)) return true;
  return false;
}

function isAmong(ranges: readonly StatusRange[], status: number): boolean {
  for (const { from, to } of ranges) if (status >= from && status <= to) return true;
  return false;
}
