#!/usr/bin/env node
/** argv → one verb; the exit code is the verb's. */
import { assertRuntimeFloor } from './runtime-floor.ts';

assertRuntimeFloor(process.versions.node);

// Otherwise whoever may signal the process opens node's debugger, which runs any code for any
// local user that connects. `--disable-sigusr1` does the same, but a `#!` line cannot pass it everywhere.
process.on('SIGUSR1', () => undefined);

// Imported only now: what follows need not even load on a runtime below the floor.
const [
  { createApp },
  { check },
  { diff },
  { drain },
  { createExplain },
  { flushOutput },
  { createProcessLog },
  { runCli },
  { services },
  { createSidecar },
  { createStart },
  { findTerminal },
  { token },
  { top },
  { weight },
  { VERSION },
] = await Promise.all([
  import('./app.ts'),
  import('./cli/check.ts'),
  import('./cli/diff.ts'),
  import('./cli/drain.ts'),
  import('./cli/explain.ts'),
  import('./cli/flush-output.ts'),
  import('./cli/process-log.ts'),
  import('./cli/run.ts'),
  import('./cli/services.ts'),
  import('./cli/sidecar.ts'),
  import('./cli/start.ts'),
  import('./cli/terminal.ts'),
  import('./cli/token.ts'),
  import('./cli/top.ts'),
  import('./cli/weight.ts'),
  import('./version.ts'),
]);

const { stdout, stderr, env } = process;
// Whoever read it may have gone (`meshgate diff … | head`): what matters is the exit code.
for (const stream of [stdout, stderr]) stream.on('error', () => undefined);

const log = createProcessLog();
const verbs = [
  createStart(createApp, log),
  createSidecar(createApp, log),
  check,
  diff,
  createExplain(createApp),
  services,
  top,
  weight,
  drain,
  token,
];
const io = { stdout, stderr, env, cwd: process.cwd(), terminal: findTerminal(process) };
const code = await runCli(process.argv.slice(2), verbs, VERSION, io);
await flushOutput(stdout, stderr);
// A verb that has ended has let go of everything; what else keeps the loop alive does not count.
process.exit(code);
