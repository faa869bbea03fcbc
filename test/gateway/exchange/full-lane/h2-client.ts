/** node's HTTP/2 client, and everything a stream of it received. */
import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { onTestFinished } from 'vitest';
import type { Echoed } from '../fake-door.ts';

export function connectH2(port: number): ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

export interface Received {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[] | undefined;
  readonly informational: readonly string[][];
}

export async function receive(stream: ClientHttp2Stream): Promise<Received> {
  let headers: string[] = [];
  let trailers: string[] | undefined;
  const informational: string[][] = [];
  let body = '';
  stream.on('headers', (_fields, _flags, raw: string[]) => informational.push(raw));
  stream.on('response', (_fields, _flags, raw: string[]) => {
    headers = raw;
  });
  stream.on('trailers', (_fields, _flags, raw: string[]) => {
    trailers = raw;
  });
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    body += chunk;
  });
  await once(stream, 'close');
  if (stream.rstCode !== 0) throw new Error(`reset with ${stream.rstCode}`);
  return { status: Number(headers[1]), headers, body, trailers, informational };
}

export async function echoed(stream: ClientHttp2Stream): Promise<Echoed> {
  return JSON.parse((await receive(stream)).body) as Echoed;
}
