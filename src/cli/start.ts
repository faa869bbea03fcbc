/** `meshgate start`: runs the gateway until it is told to stop. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import closeWithGrace from 'close-with-grace';
import { ConfigurationError } from '../gateway/config/configuration-error.ts';
import { startDemo, type Demo } from '../demo/demo.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import type { App, CreateApp, Started } from './app-port.ts';
import { configFileOf } from './config-file.ts';
import type { Verb, VerbIo } from './verb.ts';

/** Over the longest drain that a listener may ask for, lest the drain be cut short. */
const CLOSE_DEADLINE_MS = 15 * 60 * 1000;

export function createStart(createApp: CreateApp, log: Log): Verb {
  return {
    name: 'start',
    summary: 'Run the gateway until SIGTERM or SIGINT, then drain.',
    usage: `meshgate start [--config FILE] [--demo]

  --config FILE  Configuration (default: $MESHGATE_CONFIG, else meshgate.yaml)
  --demo         Also run the demo's services and print commands to try

Examples:
  meshgate start --config /etc/meshgate/meshgate.yaml`,
    async run(argv, io) {
      const { values } = parseArgs({
        args: argv,
        options: { config: { type: 'string' }, demo: { type: 'boolean' } },
      });
      const configFile = resolve(io.cwd, configFileOf(values.config, io));
      let demo: Demo | undefined;
      let app: App | undefined;
      try {
        demo = values.demo === true ? await startDemo({ configFile, log }) : undefined;
        app = await createApp({ configFile, env: io.env, log });
        announce(await app.start(), io);
        if (demo !== undefined) io.stdout.write(await demo.banner());
      } catch (error) {
        await Promise.all([app?.stop(), demo?.stop()]);
        io.stderr.write(`${explainFailure(error)}\n`);
        return 1;
      }
      return untilSignal(app, demo, log);
    },
  };
}

function announce({ listeners, statusPort }: Started, { stdout }: VerbIo): void {
  for (const { name, scheme, port } of listeners) {
    stdout.write(`meshgate: ${name} listens on ${scheme}://localhost:${port}\n`);
  }
  stdout.write(`meshgate: status on http://localhost:${statusPort}/readyz\n`);
}

function explainFailure(error: unknown): string {
  if (error instanceof ConfigurationError) {
    return `${error.message}\nmeshgate: the configuration was refused; nothing was started`;
  }
  return `meshgate: ${error instanceof Error ? error.message : String(error)}`;
}

function untilSignal(app: App, demo: Demo | undefined, log: Log): Promise<number> {
  return new Promise((done) => {
    closeWithGrace({ delay: CLOSE_DEADLINE_MS, logger: false }, async ({ err, signal }) => {
      if (err !== undefined) log.error({ err }, 'an unexpected error ends the process');
      else log.info({ signal }, 'draining');
      await app.stop();
      await demo?.stop();
      done(err === undefined ? 0 : 1);
    });
  });
}
