/** Loads a configuration file in a thread of its own, so that a large one holds up no traffic. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Config } from './config.ts';
import {
  GatheredConfig,
  type ConfigHead,
  type ConfigPiece,
  STREAMED_LISTS,
  type StreamedList,
} from './config-pieces.ts';
import type { Loaded, LoadResult, NotLoaded } from './load.ts';
import type { SharedPart } from './versions/shared-source.ts';

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
  /** As for `loadConfig`. */
  readonly text?: string | undefined;
  /** As for `loadConfig`. */
  readonly shared?: SharedPart | undefined;
  /** Ends the thread; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export type LoaderOptions = Omit<ThreadLoadOptions, 'catalogue'>;

export interface ConfigLoader {
  /** One after the other. As `loadConfigInThread`. */
  load(file: string, options?: LoaderOptions): Promise<LoadResult>;
  /** As `load`, for who wants to know what is wrong alone: the configuration stays in the thread. */
  check(file: string, options?: LoaderOptions): Promise<CheckResult>;
  /**
   * Whether a thread is to be ready at any time, however long nothing is loaded: the first change
   * after a quiet hour would wait for it to start. Default: it ends when it has long been idle.
   */
  keepReady(isWanted: boolean): void;
  /** Ends the thread; what is being loaded rejects. */
  close(): Promise<void>;
}

/** What the thread is started with. */
export interface CatalogueName {
  readonly module: string;
  readonly name: string;
}

export interface CheckResult extends Pick<NotLoaded, 'issues' | 'unlisted'> {
  readonly ok: boolean;
}

interface Accepted extends CheckResult {
  readonly ok: true;
  /** Of all streamed lists together. */
  readonly items: number;
}

/** What it is asked for. */
export interface LoadTask {
  /** Nothing of what is accepted is sent but that it is. */
  readonly isCheck: boolean;
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly text: string | undefined;
  readonly shared: SharedPart | undefined;
}

/** From the thread. After each but the last two it waits for an answer: see `receive`. */
export type LoadMessage =
  | {
      readonly type: 'head';
      readonly config: ConfigHead;
      readonly result: Omit<Loaded, 'config'>;
    }
  | { readonly type: 'items'; readonly piece: ConfigPiece }
  | { readonly type: 'end' }
  | { readonly type: 'accepted'; readonly result: Accepted }
  | { readonly type: 'refused'; readonly result: NotLoaded };

/**
 * To start it takes most of the time of a small file, half a second of a core that traffic may want;
 * as long as it waits a change costs what has changed. It takes some 90 MiB, and with 100,000 routes
 * some hundred more. Who has changed something often changes it again.
 */
const IDLE_MS = 10 * 60_000;
/** Starting one takes processor time that what has just begun, or been changed, can use better. */
const READY_AFTER_MS = 5_000;
/**
 * As `loadConfig`, with no more issues than anybody reads, but the event loop is never held for
 * more than a few milliseconds: the result comes in pieces of about 64 KiB, one a turn of the loop.
 */
export async function loadConfigInThread(
  file: string,
  options: ThreadLoadOptions,
): Promise<LoadResult> {
  options.signal?.throwIfAborted();
  const loader = createConfigLoader(options.catalogue);
  try {
    return await loader.load(file, options);
  } finally {
    await loader.close();
  }
}

/**
 * Loads in a thread that waits for the next file without keeping the process alive; `idleMs`: for how
 * long, in milliseconds. Default: ten minutes.
 */
export function createConfigLoader(catalogue: CatalogueReference, idleMs = IDLE_MS): ConfigLoader {
  let worker: Worker | undefined;
  /** What the thread has sent last; what has not changed since it does not send again. */
  let known: Config | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let staysReady = false;
  const closing = new AbortController();

  async function end(): Promise<void> {
    clearTimeout(idle);
    const ended = worker;
    worker = undefined;
    known = undefined;
    await ended?.terminate();
  }

  /** One that fails while it waits is of no use any more, and no reason to fail for. */
  function begin(): Worker {
    known = undefined;
    const thread = startThread(catalogue);
    thread.on('error', () => undefined);
    thread.on('exit', () => {
      if (worker === thread) worker = undefined;
    });
    return thread;
  }

  async function askNow(
    file: string,
    { env, text, shared, signal }: LoaderOptions,
    isCheck: boolean,
  ): Promise<LoadResult | Accepted> {
    const either = AbortSignal.any([closing.signal, ...(signal === undefined ? [] : [signal])]);
    either.throwIfAborted();
    clearTimeout(idle);
    const thread = (worker ??= begin());
    thread.ref();
    const done = new AbortController();
    const task: LoadTask = { isCheck, file, env: { ...(env ?? process.env) }, text, shared };
    let isKept = false;
    try {
      const result = await receive(thread, task, known, either, done.signal);
      if (result.ok && 'config' in result) known = result.config;
      isKept = true;
      return result;
    } finally {
      done.abort();
      thread.unref();
      await rest(isKept);
    }
  }

  /** Nothing is being loaded any more. */
  async function rest(isKept: boolean): Promise<void> {
    if (!isKept) await end();
    clearTimeout(idle);
    if (closing.signal.aborted) return;
    if (staysReady && worker === undefined) idle = setTimeout(makeReady, READY_AFTER_MS).unref();
    else if (!staysReady && worker !== undefined)
      idle = setTimeout(() => void end(), idleMs).unref();
  }

  function makeReady(): void {
    worker = begin();
    worker.unref();
  }

  function ask(
    file: string,
    options: LoaderOptions,
    isCheck: boolean,
  ): Promise<LoadResult | Accepted> {
    const asking = last.then(() => askNow(file, options, isCheck));
    last = asking.catch(() => undefined);
    return asking;
  }

  return {
    async load(file, options = {}) {
      const result = await ask(file, options, false);
      if ('items' in result) throw new Error("the loader's thread kept what it had loaded");
      return result;
    },
    keepReady(isWanted) {
      if (isWanted === staysReady) return;
      staysReady = isWanted;
      void last.then(() => rest(true));
    },
    check: (file, options = {}) => ask(file, options, true) as Promise<CheckResult>,
    async close() {
      closing.abort(new Error('the loader is closed'));
      await end();
    },
  };
}

function startThread(catalogue: CatalogueReference): Worker {
  const entry = new URL(`./load-thread${extname(import.meta.url)}`, import.meta.url);
  const name: CatalogueName = { module: String(catalogue.module), name: catalogue.name };
  // Flags of the parent, such as an inspector's port, are not the thread's.
  return new Worker(entry, { workerData: name, execArgv: [] });
}

/** Of all streamed lists together. */
export function countItems(lists: Readonly<Record<StreamedList, readonly unknown[]>>): number {
  return STREAMED_LISTS.reduce((sum, list) => sum + lists[list].length, 0);
}

function receive(
  worker: Worker,
  task: LoadTask,
  known: Config | undefined,
  signal: AbortSignal,
  done: AbortSignal,
): Promise<LoadResult | Accepted> {
  const gathered = new GatheredConfig(known);
  let head: Extract<LoadMessage, { type: 'head' }> | undefined;
  return new Promise((settle, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    const exited = (code: number): void =>
      reject(new Error(`the loader's thread ended with code ${code}`));
    const hear = (message: LoadMessage): void => {
      if (message.type === 'refused' || message.type === 'accepted') return settle(message.result);
      if (message.type === 'end') {
        if (head === undefined) return reject(new Error("the loader's thread sent no head"));
        return settle({ ...head.result, config: gathered.complete(head.config) });
      }
      if (message.type === 'head') head = message;
      else gathered.add(message.piece);
      // The port hands over all that has arrived in one turn of the loop: with the next piece
      // asked for only in a later turn, what waits meanwhile gets its own.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      void nextTurn().then(() => worker.postMessage('next'));
    };
    signal.addEventListener('abort', abort, { once: true, signal: done });
    worker.on('error', reject).on('exit', exited).on('message', hear);
    done.addEventListener('abort', () => {
      worker.off('error', reject).off('exit', exited).off('message', hear);
    });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(task);
  });
}
