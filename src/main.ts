#!/usr/bin/env node
/** argv → one verb; the exit code is the verb's. */
import { assertRuntimeFloor } from './runtime-floor.ts';

assertRuntimeFloor(process.versions.node);

// Imported only now: what follows need not even load on a runtime below the floor.
const [{ default: pino }, { createApp }, { check }, { diff }, { createExplain }, { runCli }, { createStart }, { VERSION }] =
  await Promise.all([
    import('pino'),
    import('./app.ts'),
    import('./cli/check.ts'),
    import('./cli/diff.ts'),
    import('./cli/explain.ts'),
    import('./cli/run.ts'),
    import('./cli/start.ts'),
    import('./version.ts'),
  ]);

const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
const verbs = [createStart(createApp, log), check, diff, createExplain(createApp, log)];
const { stdout, stderr, env } = process;
const code = await runCli(process.argv.slice(2), verbs, VERSION, { stdout, stderr, env, cwd: process.cwd() });
// A verb that has ended has let go of everything; what else keeps the loop alive does not count.
process.exit(code);
