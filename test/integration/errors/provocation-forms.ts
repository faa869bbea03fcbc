/** A provocation as the bytes that are sent, and as the metric that counts it. */
import { ERROR_REFERENCE } from '../../../config/error-reference.ts';
import type { Provocation } from './provocations.ts';

export function toBytes({
  method = 'GET',
  target,
  host = 'localhost',
  lines = [],
  body = '',
}: Provocation): string {
  return [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...lines,
    '',
    body,
  ].join('\r\n');
}

/** The metric that counts such an end. What was no request has no method. */
export function toSeries({
  code,
  target,
  method = 'GET',
  route = '',
  service = '',
  status,
}: Provocation): string {
  const labels = {
    listener: 'http',
    route,
    service,
    method: target === '' ? 'other' : method,
    code: String(status ?? ERROR_REFERENCE[code].status),
  };
  const text = Object.entries(labels)
    .map(([key, value]) => `${key}="${value}"`)
    .join(',');
  return `meshgate_requests_total{${text}}`;
}
