/** What the verbs have in common that ask the admin API. */
import { openAdminClient, type AdminClient } from './admin-client.ts';
import { AdminFailure } from './admin-failure.ts';
import type { VerbIo } from './verb.ts';

/** Runs with a client; a failure of the API is told, and the exit code is 1 unless it says otherwise. */
export async function withAdmin(
  verb: string,
  io: VerbIo,
  run: (client: AdminClient) => Promise<number>,
  failureCode: 1 | 2 = 1,
): Promise<number> {
  try {
    return await run(await openAdminClient(io));
  } catch (error) {
    if (!(error instanceof AdminFailure)) throw error;
    io.stderr.write(`meshgate ${verb}: ${error.message}\n`);
    return failureCode;
  }
}

/** Says why arguments cannot be understood. */
export function misuse(io: VerbIo, message: string, usage: string): 2 {
  io.stderr.write(`${message}\n\n${usage}\n`);
  return 2;
}

export function printJson({ stdout }: Pick<VerbIo, 'stdout'>, value: unknown): void {
  stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Undefined while what is told is fresh. */
export function stalenessNote(seconds: number): string | undefined {
  if (seconds === 0) return undefined;
  return `as of ${Math.ceil(seconds)} s ago: the node cannot ask the backplane`;
}
