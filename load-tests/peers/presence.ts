/** Whether a program is on this machine, and which version of it. */
import { LOAD_CORE } from '../cores.ts';
import type { ProcessKeeper } from '../process-keeper.ts';
import type { Presence } from './peer.ts';

/** Runs a command that prints the version; `pattern` has it as its first group. */
export async function detectProgram(
  processes: ProcessKeeper,
  command: readonly string[],
  pattern: RegExp,
): Promise<Presence> {
  try {
    // Some print their version as an error message.
    const output = await processes.run(['sh', '-c', `${command.join(' ')} 2>&1`], {
      core: LOAD_CORE,
    });
    const version = pattern.exec(output)?.[1];
    return version === undefined
      ? { missing: `${command[0]} does not tell its version` }
      : { version };
  } catch {
    return { missing: `${command[0]} is not installed` };
  }
}
