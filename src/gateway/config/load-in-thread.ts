/** Loads a configuration file in a thread of its own, so that a large one holds up no traffic. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Config } from './config.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { Loaded, LoadResult, NotLoaded } from './load.ts';

/** Functions cannot be sent to a thread: it imports the catalogue itself. */
export interface CatalogueReference {
  /** URL of a module, e.g. `new URL('./plugins/standard.ts', import.meta.url)`. */
  readonly module: string | URL;
  /** Name under which it exports a `PluginCatalogue`. */
  readonly name: string;
}

export interface ThreadLoadOptions {
  readonly catalogue: CatalogueReference;
  /** For `${VAR}`. Default: the process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Ends the thread; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What the thread is started with. */
export interface LoadTask {
  readonly file: string;
  readonly catalogue: { readonly module: string; readonly name: string };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The lists that may be long; they are sent in pieces. */
export const STREAMED_LISTS = ['services', 'routes', 'consumers'] as const;
export type StreamedList = (typeof STREAMED_LISTS)[number];

/** From the thread. After each but the last two it waits for an answer: see `receive`. */
export type LoadMessage =
  | {
      readonly type: 'head';
      readonly config: Omit<Config, StreamedList>;
      readonly result: Omit<Loaded, 'config'>;
    }
  | { readonly type: 'items'; readonly list: StreamedList; readonly items: readonly object[] }
  | { readonly type: 'end' }
  | { readonly type: 'refused'; readonly result: NotLoaded };

/**
 * As `loadConfig`, with no more issues than anybody reads, but the event loop is never held for
 * more than a few milliseconds: the result comes in pieces of about 64 KiB, one a turn of the loop.
 */
export async function loadConfigInThread(
  file: string,
  options: ThreadLoadOptions,
): Promise<LoadResult> {
  options.signal?.throwIfAborted();
  const task: LoadTask = {
    file,
    catalogue: { module: String(options.catalogue.module), name: options.catalogue.name },
    env: { ...(options.env ?? process.env) },
  };
  const entry = new URL(`./load-worker${extname(import.meta.url)}`, import.meta.url);
  // Flags of the parent, such as an inspector's port, are not the thread's.
  const worker = new Worker(entry, {
    workerData: task,
    execArgv: [],
  });
  const done = new AbortController();
  try {
    return await receive(worker, options.signal, done.signal);
  } finally {
    done.abort();
    await worker.terminate();
  }
}

function receive(
  worker: Worker,
  signal: AbortSignal | undefined,
  done: AbortSignal,
): Promise<LoadResult> {
  const lists: Record<StreamedList, object[]> = { services: [], routes: [], consumers: [] };
  let head: Extract<LoadMessage, { type: 'head' }> | undefined;
  return new Promise((settle, reject) => {
    const abort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true, signal: done });
    // A second error that nobody hears would end the process.
    worker.on('error', reject);
    worker.once('exit', (code) => reject(new Error(`the loader's thread ended with code ${code}`)));
    worker.on('message', (message: LoadMessage) => {
      if (message.type === 'refused') return settle(message.result);
      if (message.type === 'end') {
        if (head === undefined) return reject(new Error("the loader's thread sent no head"));
        return settle({ ...head.result, config: toConfig(head.config, lists) });
      }
      if (message.type === 'head') head = message;
      else lists[message.list].push(...deepFreeze(message.items));
      // The port hands over all that has arrived in one turn of the loop: with the next piece
      // asked for only in a later turn, what waits meanwhile gets its own.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      void nextTurn().then(() => worker.postMessage('next'));
    });
  });
}

function toConfig(
  head: Omit<Config, StreamedList>,
  lists: Readonly<Record<StreamedList, object[]>>,
): Config {
  // The long lists are frozen piece by piece already.
  for (const name of STREAMED_LISTS) Object.freeze(lists[name]);
  return deepFreeze({ ...head, ...lists } as unknown as Config);
}
