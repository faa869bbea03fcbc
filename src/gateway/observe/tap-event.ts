/** What the tap tells of an exchange: the access log's fields, the query and both heads, without secrets. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import { toShownFields, toShownQuery, type SecretNames } from './hidden-fields.ts';

/** What is kept of an exchange until its event is written; no body, and nothing that is copied. */
export interface TapCapture {
  readonly record: Readonly<Record<string, unknown>>;
  readonly query: string;
  /** As flat lists. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
}

export function capture(
  { request, response }: GatewayExchange,
  record: Readonly<Record<string, unknown>>,
): TapCapture {
  return {
    record,
    query: request.query,
    requestHeaders: request.headers.raw,
    responseHeaders: response.headers.raw,
  };
}

/** As one line of JSON. */
export function toEventText(
  { record, query, requestHeaders, responseHeaders }: TapCapture,
  secrets: SecretNames,
  withQueryValues: boolean,
): string {
  const heads = {
    query: toShownQuery(query, secrets, withQueryValues),
    request_headers: toShownFields(requestHeaders, secrets, withQueryValues),
    response_headers: toShownFields(responseHeaders, secrets, withQueryValues),
  };
  try {
    return JSON.stringify({ ...record, ...heads });
  } catch {
    // A plugin has put in what JSON cannot say: what is no plain value is left out.
    const plain = Object.entries(record).filter(([, value]) => isPlain(value));
    return JSON.stringify({ ...Object.fromEntries(plain), ...heads });
  }
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
