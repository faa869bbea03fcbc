/** Bodies that are refused before they were read: thrown away before the answer goes, so that it arrives. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Schedule } from '../mesh/backplane/schedule.ts';

/** For what is still to come; less than another node waits for the answer of this one. */
const MAX_WAIT_MS = 2_000;

/**
 * A connection that is closed while something waits in it unread is reset, and takes the answer
 * with it (RFC 9112 §9.6): whoever still sends would see that something failed, and not what.
 */
export function useUnreadBodies(app: FastifyInstance, schedule: Schedule): void {
  app.addHook('onSend', async ({ raw }, { statusCode }) => {
    if (statusCode >= 400 && hasBody(raw) && !raw.complete && !raw.destroyed) {
      await discard(raw, schedule);
    }
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers;
  return encoding !== undefined || length !== '0';
}

async function discard(body: IncomingMessage, schedule: Schedule): Promise<void> {
  const enough = new AbortController();
  const callOff = schedule(MAX_WAIT_MS, () => enough.abort());
  const { signal } = enough;
  // After the end too, and where the caller goes away.
  const closed = once(body, 'close', { signal }).catch(() => undefined);
  const ended = once(body, 'end', { signal }).catch(() => undefined);
  body.resume();
  await Promise.race([closed, ended]);
  callOff();
  enough.abort();
}
