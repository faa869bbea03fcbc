/** A node:http2 client of a gateway, whose answers are read whole. */
import { once } from 'node:events';
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { onTestFinished } from 'vitest';

export interface Http2Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders | undefined;
  /** Status and fields of each 1xx. */
  readonly interim: readonly IncomingHttpHeaders[];
  readonly body: string;
}

/** Where a gateway listens. */
export interface Ports {
  readonly httpPort: number;
  readonly httpsPort: number;
}

export function openSession(gateway: Ports, tls: boolean): ClientHttp2Session {
  const session = tls
    ? connect(`https://localhost:${gateway.httpsPort}`, { rejectUnauthorized: false })
    : connect(`http://localhost:${gateway.httpPort}`);
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

/** Rejects where the stream is reset. */
export async function receive(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const chunks: Buffer[] = [];
  const interim: IncomingHttpHeaders[] = [];
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders | undefined;
  stream.on('headers', (fields) => interim.push(fields));
  stream.on('response', (fields) => (headers = fields));
  stream.on('trailers', (fields) => (trailers = fields));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'close');
  if (stream.rstCode !== 0) throw new Error(`reset with ${stream.rstCode}`);
  return { headers, trailers, interim, body: Buffer.concat(chunks).toString() };
}
