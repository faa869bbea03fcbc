/** What the verbs have in common that ask the admin API. */
import { AdminFailure, openAdminClient, type AdminClient } from './admin-client.ts';
import type { VerbIo } from './verb.ts';

/** Runs with a client; a failure of the API is told, and the exit code is 1. */
export async function withAdmin(
  verb: string,
  io: VerbIo,
  run: (client: AdminClient) => Promise<number>,
): Promise<number> {
  try {
    return await run(await openAdminClient(io));
  } catch (error) {
    if (!(error instanceof AdminFailure)) throw error;
    io.stderr.write(`meshgate ${verb}: ${error.message}\n`);
    return 1;
  }
}

/** Says why arguments cannot be understood. */
export function misuse(io: VerbIo, message: string, usage: string): 2 {
  io.stderr.write(`${message}\n\n${usage}\n`);
  return 2;
}

/** Undefined while what is told is fresh. */
export function stalenessNote(seconds: number): string | undefined {
  if (seconds === 0) return undefined;
  return `as of ${Math.ceil(seconds)} s ago: the node cannot ask the backplane`;
}
