/** The life of the gateway's process: it opens its doors, is told to stop by a signal, drains, and ends. */
import closeWithGrace from 'close-with-grace';
import { reasonOf } from '../mesh/backplane/backplane-error.ts';
import { ConfigurationError } from '../gateway/config/configuration-error.ts';
import { allListenersOf } from '../gateway/doors/door-listeners.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import type { App, Started } from './app-port.ts';
import type { VerbIo } from './verb.ts';

/** What the process lives for. Each is put here as soon as there is something to stop. */
export interface Parts {
  app: App | undefined;
  /** Stopped after the gateway. */
  beside: { stop(): Promise<void> } | undefined;
}

export interface ServeOptions {
  readonly io: VerbIo;
  readonly log: Log;
  /** Makes the app and whatever is beside it, and starts them. */
  readonly begin: (parts: Parts) => Promise<void>;
  /** In place of what a failure to start is mostly answered by. */
  readonly onFailed?: (
    error: unknown,
  ) => { readonly text: string; readonly code: number } | undefined;
}

/** Over the longest drain that a listener may ask for, lest the drain be cut short. */
const CLOSE_DEADLINE_MS = 15 * 60 * 1000;

/**
 * They do not end it. Left to the system: after a fault of the processor's the same instruction
 * would be tried again for ever, and others are the runtime's or a debugger's. SIGUSR2 has workers replaced.
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

/** By these it is told to stop. */
const STOPPING = ['SIGTERM', 'SIGINT'] as const;

/**
 * The same signal within this long is the first one's echo: one Ctrl-C reaches everybody at the
 * terminal, and npm, which is there too, passes it on.
 */
const ECHO_MS = 500;

const ENDS_NOW = 'told again: ends without draining';

/** For the help of the verbs that serve. */
export const SERVE_EXIT_CODES = `A second signal, half a second later or of the other kind, ends it at once. SIGHUP ends
nothing: it reads the configuration again and opens logs anew. Exit code 0: it was told
to stop; 1: it could not start, or did not end well; 2: misuse.`;

/** Resolves to the exit code: 0 after a signal, 1 where it could not start or an error ended it. */
export async function serve({ io, log, begin, onFailed }: ServeOptions): Promise<number> {
  const parts: LivingParts = { app: undefined, beside: undefined, stopping: false };
  // First: a signal that comes while the doors open must not cut whoever came in already.
  const { stopped, forget } = listenToSignals(parts, log);
  try {
    await begin(parts);
  } catch (error) {
    if (parts.stopping) return stopped;
    const { text, code } = onFailed?.(error) ?? { text: explainFailure(error), code: 1 };
    io.stderr.write(`${text}\n`);
    await stopAll(parts);
    forget();
    return code;
  }
  return stopped;
}

/** Says where each door is. */
export function announce(started: Started, { config }: App, io: VerbIo): void {
  const { listeners, statusPort, adminPort } = started;
  const hosts = new Map(allListenersOf(config).map(({ name, host }) => [name, host]));
  for (const { name, scheme, port } of listeners) {
    io.stdout.write(
      `meshgate: ${name} listens on ${scheme}://${toShownHost(hosts.get(name))}:${port}\n`,
    );
  }
  if (adminPort !== undefined) {
    io.stdout.write(
      `meshgate: admin on http://${toShownHost(config.admin.address.host)}:${adminPort}\n`,
    );
  }
  io.stdout.write(
    `meshgate: status on http://${toShownHost(config.status.host)}:${statusPort}/readyz\n`,
  );
}

interface LivingParts extends Parts {
  stopping: boolean;
}

async function stopAll({ app, beside }: Parts): Promise<void> {
  await app?.stop();
  await beside?.stop();
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
  return `meshgate: ${reasonOf(error)}`;
}

interface SignalWatch {
  /** Resolves to the exit code when a signal, or an error that nobody caught, has ended it. */
  readonly stopped: Promise<number>;
  /** Leaves signals and errors to the system again. */
  readonly forget: () => void;
}

function listenToSignals(parts: LivingParts, log: Log): SignalWatch {
  // A promise that a plugin leaked is no reason to end everybody's requests.
  const onRejection = (reason: unknown): void => {
    if (parts.app === undefined) throw reason;
    parts.app.rejectionUnhandled(reason);
  };
  process.on('unhandledRejection', onRejection);
  const onHangup = (): void => {
    if (parts.stopping) return;
    log.info({ signal: 'SIGHUP' }, 'reading the configuration again, and opening logs anew');
    parts.app?.reload();
  };
  process.on('SIGHUP', onHangup);
  const onRoll = (): void => {
    if (!parts.stopping) parts.app?.roll();
  };
  process.on('SIGUSR2', onRoll);
  const { promise: stopped, resolve: done } = Promise.withResolvers<number>();
  let told: { readonly signal: NodeJS.Signals; readonly at: number } | undefined;
  const { close, uninstall } = closeWithGrace(
    {
      delay: CLOSE_DEADLINE_MS,
      logger: false,
      skip: ['unhandledRejection', 'SIGHUP', ...STOPPING, ...NOT_OURS],
      onSecondSignal: (signal) => log.warn({ signal }, ENDS_NOW),
      onSecondError: (err) => log.error({ err }, 'an error while draining ends the process'),
    },
    async ({ err, signal = told?.signal }) => {
      if (err !== undefined) log.error({ err }, 'an unexpected error ends the process');
      else log.info({ signal }, 'draining');
      parts.stopping = true;
      await stopAll(parts);
      done(err === undefined ? 0 : 1);
    },
  );
  const onStop = (signal: NodeJS.Signals): void => {
    const at = performance.now();
    if (told === undefined && !parts.stopping) {
      told = { signal, at };
      close();
    } else if (told?.signal !== signal || at - told.at > ECHO_MS) {
      log.warn({ signal }, ENDS_NOW);
      process.exit(1);
    }
  };
  for (const signal of STOPPING) process.on(signal, onStop);
  return {
    stopped,
    forget() {
      uninstall();
      for (const signal of STOPPING) process.off(signal, onStop);
      process.off('unhandledRejection', onRejection);
      process.off('SIGHUP', onHangup);
      process.off('SIGUSR2', onRoll);
    },
  };
}
