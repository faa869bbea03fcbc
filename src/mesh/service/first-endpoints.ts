/** Gives the discovery of services a moment, before a node says that it is ready. */
import type { Service } from './service.ts';

const DISCOVERY_WAIT_MS = 3000;

/**
 * Waits for every service's discovery to have spoken, but not over 3 s: DNS may be down. Resolves
 * to the names of those that are still silent.
 */
export async function firstEndpoints(services: Iterable<Service>): Promise<string[]> {
  const silent = new Set<string>();
  const all = Promise.all(
    Array.from(services, async ({ name, ready }) => {
      silent.add(name);
      await ready;
      silent.delete(name);
    }),
  );
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((done) => (timer = setTimeout(done, DISCOVERY_WAIT_MS)));
  await Promise.race([all, enough]);
  clearTimeout(timer);
  return [...silent];
}
