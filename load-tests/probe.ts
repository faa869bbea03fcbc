/** Single requests that show whether a proxy does what it is measured for. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { RunningPeer } from './peers/peer.ts';

export interface Probe {
  readonly path: string;
  readonly token?: string;
  /** Further field lines. */
  readonly fields?: readonly string[];
  /** Of a POST; default: a GET. */
  readonly bodyBytes?: number;
  /** Address of the loopback network to ask from. */
  readonly from?: string;
  /** Expected; default 200, with the upstream's body. */
  readonly status?: number;
  /** A field that the answer must have, its name in lower case. */
  readonly answers?: { readonly name: string; readonly value: RegExp };
  /** What it shows, for the message where it fails. */
  readonly shows?: string;
}

type ProbedPeer = Pick<RunningPeer, 'url' | 'host'>;

interface ProbeAnswer {
  readonly status: number;
  readonly bodyBytes: number;
  readonly headers: IncomingHttpHeaders;
}

const TIMEOUT_MS = 5000;

/** One request on a connection of its own. Rejects where no whole answer comes. */
export function probe(
  { url, host }: ProbedPeer,
  { path, token, fields = [], bodyBytes: length, from }: Probe,
): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const options = {
      agent: false as const,
      // The certificate is the bench's own.
      rejectUnauthorized: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(length !== undefined && { method: 'POST' }),
      ...(from !== undefined && { localAddress: from }),
      headers: {
        ...Object.fromEntries(fields.map((line) => line.split(': ', 2))),
        ...(host !== undefined && { host }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
    };
    const request = send(url + path, options, (answer) => {
      let bodyBytes = 0;
      answer.on('data', (chunk: Buffer) => (bodyBytes += chunk.length));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, bodyBytes, headers: answer.headers });
      });
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(length === undefined ? undefined : 'x'.repeat(length));
  });
}

/** Rejects where the answer is another than the probe expects. */
export async function check(
  name: string,
  peer: ProbedPeer,
  upstreamBytes: number,
  expected: Probe,
): Promise<void> {
  const { status = 200, shows = 'a plain request' } = expected;
  const answer = await probe(peer, expected);
  if (answer.status !== status) {
    throw new Error(`${name} answers ${shows} with ${answer.status}, not ${status}`);
  }
  if (status === 200 && answer.bodyBytes !== upstreamBytes) {
    throw new Error(`${name} answers ${answer.bodyBytes} bytes, not ${upstreamBytes}`);
  }
  const { answers } = expected;
  if (answers !== undefined && !answers.value.test(String(answer.headers[answers.name]))) {
    throw new Error(`${name} answers ${shows} without ${answers.value} in ${answers.name}`);
  }
}
