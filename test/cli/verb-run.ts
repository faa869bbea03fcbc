/** Runs a verb as the command line would, and keeps what it said. */
import type { Verb, VerbIo } from '../../src/cli/verb.ts';

export interface VerbRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runVerb(
  verb: Verb,
  argv: string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  more: Partial<VerbIo> = {},
): Promise<VerbRun> {
  let stdout = '';
  let stderr = '';
  const code = await verb.run(argv, {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env,
    cwd,
    ...more,
  });
  return { code, stdout, stderr };
}
