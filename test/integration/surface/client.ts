/** A client that asks once, on a connection of its own. */
import {
  request as requestHttp,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import type { ConnectionOptions } from 'node:tls';

export interface AskOptions {
  /** Default GET. */
  readonly method?: string;
  /** The Host field; default what is asked. */
  readonly host?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** Where the client seems to be: any address of 127.0.0.0/8. */
  readonly from?: string;
  /** Asks over TLS; certificates are not verified unless it says so. */
  readonly tls?: ConnectionOptions;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Field lines in order. */
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export function ask(port: number, path: string, options: AskOptions = {}): Promise<Reply> {
  const { method = 'GET', host, headers = {}, body, from, tls } = options;
  return new Promise((resolve, reject) => {
    const common = {
      host: '127.0.0.1',
      port,
      path,
      method,
      agent: false,
      headers: { ...headers, ...(host !== undefined && { host }) },
      ...(from !== undefined && { localAddress: from }),
    };
    const request =
      tls === undefined
        ? requestHttp(common)
        : requestHttps({ ...common, rejectUnauthorized: false, ...tls });
    request.on('error', reject);
    request.on('response', (response) => {
      const { statusCode = 0, rawHeaders } = response;
      const lines: [string, string][] = [];
      for (let i = 0; i < rawHeaders.length; i += 2) {
        lines.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
      }
      text(response).then(
        (whole) => resolve({ status: statusCode, headers: response.headers, lines, body: whole }),
        reject,
      );
    });
    request.end(body);
  });
}

/** The `code` of an answer that the gateway made itself. */
export function codeOf(reply: Reply): string {
  return (JSON.parse(reply.body) as { code: string }).code;
}

export interface Http2Reply extends Omit<Reply, 'lines'> {
  /** What ALPN agreed on; `h2c` on a plain connection. */
  readonly alpn: string;
}

/** Asks over HTTP/2: by prior knowledge, or over TLS with `tls`. */
export async function askHttp2(
  port: number,
  path: string,
  { method = 'GET', host = 'localhost', headers = {}, body, tls }: AskOptions = {},
): Promise<Http2Reply> {
  const session =
    tls === undefined
      ? connectHttp2(`http://127.0.0.1:${port}`)
      : connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, ...tls });
  try {
    const stream = session.request({
      ':method': method,
      ':path': path,
      ':authority': host,
      ...headers,
    });
    stream.end(body);
    const head = new Promise<IncomingHttpHeaders>((resolve, reject) => {
      stream.once('response', resolve).once('error', reject);
      session.once('error', reject);
    });
    const { ':status': status, ...fields } = (await head) as IncomingHttpHeaders & {
      ':status'?: number;
    };
    return {
      status: status ?? 0,
      headers: fields,
      body: await text(stream),
      alpn: session.alpnProtocol ?? '',
    };
  } finally {
    session.destroy();
  }
}
