/** The request as plugins see it, over whatever lane brought it. */
import type { Duplex } from 'node:stream';
import type { BodySource } from '../../mesh/transport/body-source.ts';
import type { ExchangeRequest } from '../../plugins/sdk/exchange.ts';
import { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import { queryValue } from '../routing/query-value.ts';
import type { Intake } from './lane.ts';

export class GatewayRequest implements ExchangeRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  authority: string;
  readonly headers: HeaderFields;
  host = '';
  path = '';
  query = '';
  bodyBytes: Uint8Array | undefined;
  /** What forwarding will read; a decorator stands before the lane's own source where one is needed. */
  body: BodySource | undefined;
  maxBodyBytes: number;
  transforms: Duplex[] | undefined;

  constructor(intake: Intake) {
    this.method = intake.method;
    this.scheme = intake.connection.listener.scheme;
    this.authority = intake.authority;
    this.headers = new HeaderFields(intake.headers, intake.text);
    this.body = intake.body;
    this.maxBodyBytes = intake.connection.listener.maxBodyBytes;
  }

  get contentLength(): number | undefined {
    return this.body === undefined ? 0 : this.body.length;
  }

  queryParam(name: string): string | undefined {
    return queryValue(this.query, name);
  }

  cookie(name: string): string | undefined {
    for (const line of this.headers.getAll('cookie')) {
      for (const pair of line.split(';')) {
        const equals = pair.indexOf('=');
        if (equals > 0 && pair.slice(0, equals).trim() === name) {
          return unquoted(pair.slice(equals + 1).trim());
        }
      }
    }
    return undefined;
  }

  limitBody(maxBytes: number): void {
    this.maxBodyBytes = maxBytes;
  }

  transformBody(transform: Duplex): void {
    (this.transforms ??= []).push(transform);
  }
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1)
    : value;
}
