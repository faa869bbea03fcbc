/** `meshgate start`: runs the gateway until it is told to stop. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import closeWithGrace from 'close-with-grace';
import { startDemo, type Demo } from '../demo/demo.ts';
import { ConfigurationError } from '../gateway/config/configuration-error.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import type { App, CreateApp, Started } from './app-port.ts';
import { configFileOf } from './config-file.ts';
import type { Verb, VerbIo } from './verb.ts';

/** Over the longest drain that a listener may ask for, lest the drain be cut short. */
const CLOSE_DEADLINE_MS = 15 * 60 * 1000;

/**
 * Left to the system: after a fault of the processor's the same instruction would be tried
 * again for ever, and the others are the runtime's or a debugger's.
 */
const NOT_OURS = [
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGUSR2',
] as const;

export function createStart(createApp: CreateApp, log: Log): Verb {
  return {
    name: 'start',
    summary: 'Run the gateway until SIGTERM or SIGINT, then drain.',
    usage: `meshgate start [--config FILE] [--demo]

  --config FILE  Configuration (default: $MESHGATE_CONFIG, else meshgate.yaml)
  --demo         Also run the demo's services and print commands to try

A second signal ends it at once. Exit code 0: it was told to stop; 1: it could not
start, or did not end well; 2: misuse.

Examples:
  meshgate start --config /etc/meshgate/meshgate.yaml`,
    async run(argv, io) {
      const { values } = parseArgs({
        args: argv,
        options: { config: { type: 'string' }, demo: { type: 'boolean' } },
      });
      const configFile = resolve(io.cwd, configFileOf(values.config, io));
      const parts: Parts = { app: undefined, demo: undefined, stopping: false };
      // First: a signal that comes while the doors open must not cut whoever came in already.
      const stopped = untilStopped(parts, log);
      try {
        if (values.demo === true) parts.demo = await startDemo({ configFile, log });
        parts.app = await createApp({ configFile, env: io.env, log });
        announce(await parts.app.start(), parts.app, io);
        if (parts.demo !== undefined) io.stdout.write(await parts.demo.banner());
      } catch (error) {
        if (parts.stopping) return stopped;
        io.stderr.write(`${explainFailure(error)}\n`);
        await stopAll(parts);
        return 1;
      }
      return stopped;
    },
  };
}

interface Parts {
  app: App | undefined;
  demo: Demo | undefined;
  stopping: boolean;
}

async function stopAll({ app, demo }: Parts): Promise<void> {
  await app?.stop();
  await demo?.stop();
}

function announce({ listeners, statusPort }: Started, { config }: App, { stdout }: VerbIo): void {
  for (const { name, scheme, port } of listeners) {
    const host = config.listeners.find((listener) => listener.name === name)?.host;
    stdout.write(`meshgate: ${name} listens on ${scheme}://${toShownHost(host)}:${port}\n`);
  }
  stdout.write(
    `meshgate: status on http://${toShownHost(config.status.host)}:${statusPort}/readyz\n`,
  );
}

/** What can be pasted into a browser on this machine. */
function toShownHost(host = ''): string {
  if (['', '0.0.0.0', '::', '127.0.0.1'].includes(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function explainFailure(error: unknown): string {
  if (error instanceof ConfigurationError) {
    return `${error.message}\nmeshgate: the configuration was refused; nothing was started`;
  }
  return `meshgate: ${error instanceof Error ? error.message : String(error)}`;
}

/** Resolves to the exit code when a signal, or an error that nobody caught, has ended it. */
function untilStopped(parts: Parts, log: Log): Promise<number> {
  // A promise that a plugin leaked is no reason to end everybody's requests.
  process.on('unhandledRejection', (reason) => {
    if (parts.app === undefined) throw reason;
    parts.app.rejectionUnhandled(reason);
  });
  return new Promise((done) => {
    closeWithGrace(
      {
        delay: CLOSE_DEADLINE_MS,
        logger: false,
        skip: ['unhandledRejection', ...NOT_OURS],
        onSecondSignal: (signal) => log.warn({ signal }, 'told again: ends without draining'),
        onSecondError: (err) => log.error({ err }, 'an error while draining ends the process'),
      },
      async ({ err, signal }) => {
        if (err !== undefined) log.error({ err }, 'an unexpected error ends the process');
        else log.info({ signal }, 'draining');
        parts.stopping = true;
        await stopAll(parts);
        done(err === undefined ? 0 : 1);
      },
    );
  });
}
