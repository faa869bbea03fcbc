/** `meshgate start`: runs the gateway until it is told to stop. */
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_DOORS, startDemo } from '../demo/demo.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import type { CreateApp } from './app-port.ts';
import { configFileOf } from './config-file.ts';
import { announce, serve, SERVE_EXIT_CODES } from './serve.ts';
import type { Verb, VerbIo, VerbOptions } from './verb.ts';

const OPTIONS = {
  config: { type: 'string', values: 'file' },
  demo: { type: 'boolean' },
} as const satisfies VerbOptions;

export function createStart(createApp: CreateApp, log: Log): Verb {
  return {
    name: 'start',
    summary: 'Run the gateway until SIGTERM or SIGINT, then drain.',
    usage: `meshgate start [--config FILE] [--demo]

  --config FILE  Configuration (default: $MESHGATE_CONFIG, else meshgate.yaml)
  --demo         Also run the demo's services and print commands to try

${SERVE_EXIT_CODES}

Examples:
  meshgate start --config /etc/meshgate/meshgate.yaml`,
    options: OPTIONS,
    async run(argv, io) {
      const { values } = parseArgs({ args: argv, options: OPTIONS });
      const configFile = resolve(io.cwd, configFileOf(values.config, io));
      return serve({
        io,
        log,
        async begin(parts) {
          const demo = values.demo === true ? await startDemo({ configFile, log }) : undefined;
          parts.beside = demo;
          parts.app = await createApp({ configFile, env: io.env, log });
          announce(await parts.app.start(), parts.app, io);
          if (demo !== undefined) {
            const cli = toCliAbout(configFile, io);
            io.stdout.write(await demo.banner({ ...DEFAULT_DOORS, cli }));
          }
        },
      });
    },
  };
}

/** How the other verbs are asked about the gateway of this file, from where this one was. */
function toCliAbout(configFile: string, { cwd, program = 'meshgate' }: VerbIo): string {
  const path = relative(cwd, configFile);
  return `MESHGATE_CONFIG=${path.startsWith('..') ? configFile : path} ${program}`;
}
