#!/usr/bin/env node
/** argv → one verb; the exit code is the verb's. */
import { relative } from 'node:path';
import { assertRuntimeFloor } from './runtime-floor.ts';

assertRuntimeFloor(process.versions.node, import.meta.url);

// Otherwise whoever may signal the process opens node's debugger, which runs any code for any
// local user that connects. `--disable-sigusr1` does the same, but a `#!` line cannot pass it everywhere.
process.on('SIGUSR1', () => undefined);

// Imported only now: what follows need not even load on a runtime below the floor.
const [
  { createApp },
  { flushOutput },
  { createProcessLog },
  { createQuestion },
  { runCli },
  { findTerminal },
  { createVerbs },
  { VERSION },
] = await Promise.all([
  import('./app.ts'),
  import('./cli/flush-output.ts'),
  import('./cli/process-log.ts'),
  import('./cli/question.ts'),
  import('./cli/run.ts'),
  import('./cli/terminal.ts'),
  import('./cli/verbs.ts'),
  import('./version.ts'),
]);

const { stdout, stderr, env } = process;
// Whoever read it may have gone (`meshgate diff … | head`): what matters is the exit code.
const reader = new AbortController();
stdout.on('error', () => reader.abort());
stderr.on('error', () => undefined);

const io = {
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  program: programName(),
  terminal: findTerminal(process),
  ask: createQuestion(process),
  readerLeft: reader.signal,
};
const verbs = createVerbs(createApp, createProcessLog());
const code = await runCli(process.argv.slice(2), verbs, VERSION, io);
await flushOutput(stdout, stderr);
// A verb that has ended has let go of everything; what else keeps the loop alive does not count.
process.exit(code);

/** What can be pasted: in a checkout there is no `meshgate` to be found. */
function programName(): string {
  const { filename } = import.meta;
  return filename.endsWith('.ts')
    ? `npx node ${relative(process.cwd(), filename)}`
    : 'npx meshgate';
}
