/** When nodes act by a change: each is asked again and again until it answers by it. */
import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../statistics.ts';
import type { MeshGateway } from './mesh-gateway.ts';

/** Between two looks at a node. */
export const LOOK_MS = 2;
const SEEN_WITHIN_MS = 60_000;

export interface Seen {
  readonly status: number | undefined;
  readonly body: string;
}

const agent = new Agent({ keepAlive: true });

/** Resolves once a node's answer is by the change. Rejects after a minute. */
export async function untilAnswered(
  { name, port }: MeshGateway,
  path: string,
  isByChange: (seen: Seen) => boolean,
): Promise<void> {
  const deadline = performance.now() + SEEN_WITHIN_MS;
  while (!isByChange(await ask(port, path))) {
    if (performance.now() > deadline) throw new Error(`${name} does not act by a change`);
    await delay(LOOK_MS);
  }
}

function ask(port: number, path: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent }, (answer) => {
      const { statusCode: status } = answer;
      text(answer).then((body) => resolve({ status, body }), reject);
    });
    request.once('error', reject);
  });
}

/** Before a change: at least the one, and less than the other, in milliseconds, so that it falls into step with nothing. */
export async function pauseBetween(leastMs: number, mostMs: number): Promise<void> {
  await delay(leastMs + (mostMs - leastMs) * Math.random());
}

/** For tables: a percentile of times, to the millisecond. */
export function toMs(timesMs: readonly number[], share: number): string {
  return percentile(timesMs, share).toFixed(0);
}
