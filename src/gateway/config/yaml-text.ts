/** Reads YAML that came over the network: as data alone, bounded, and without holding up the event loop. */
import { extname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { reasonOf } from '../../mesh/backplane/backplane-error.ts';
import { toPathText } from './config-path.ts';
import { JsonAssembly, type JsonPiece } from './json-pieces.ts';
import { readSourceDocument } from './source-document.ts';
import { AS_WRITTEN } from './substitute.ts';

export type YamlReading =
  | { readonly ok: true; readonly value: unknown }
  /** E.g. `line 3, column 5: …`. */
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Read in some milliseconds, though it is seldom done and its code cold; longer texts are read in a thread
 * of their own: one of 9 KiB held up traffic for 20.
 */
const MAX_CHARACTERS_HERE = 2 * 1024;
const THREAD_TIMEOUT_MS = 60_000;
/** Positions and nodes take some hundred bytes for each of the text. */
const THREAD_HEAP_MB = 2_048;

/** What the thread of `yaml-worker.ts` answers, one at a time; after the last piece comes none. */
export type YamlMessage =
  | { readonly ok: true; readonly piece: JsonPiece | undefined }
  | Extract<YamlReading, { ok: false }>;

/** Substitutions stay as they are written. */
export function parseYaml(text: string): YamlReading {
  const problems: string[] = [];
  const { value, syntaxProblems } = readSourceDocument(text, AS_WRITTEN, (path, message) => {
    problems.push(`${toPathText(path)}: ${message}`);
  });
  for (const { line, column, message } of syntaxProblems) {
    problems.push(`line ${line}, column ${column}: ${message}`);
  }
  return problems.length === 0 ? { ok: true, value } : { ok: false, problems };
}

/** As `parseYaml`. */
export async function readYaml(text: string): Promise<YamlReading> {
  if (text.length <= MAX_CHARACTERS_HERE) return parseYaml(text);
  const entry = new URL(`./yaml-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(entry, {
    workerData: text,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<YamlReading>((resolve, reject) => {
      const assembly = new JsonAssembly();
      worker.on('message', (message: YamlMessage) => {
        if (!message.ok) return resolve(message);
        if (message.piece === undefined) return resolve({ ok: true, value: assembly.value });
        assembly.add(message.piece);
        // As the loader's thread does: what waits meanwhile gets its turn.
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        void nextTurn().then(() => worker.postMessage('next'));
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the thread ended with code ${code}`)));
      timer = setTimeout(() => reject(new Error('it takes too long')), THREAD_TIMEOUT_MS);
    });
  } catch (error) {
    return { ok: false, problems: [`it is too much to read: ${reasonOf(error)}`] };
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
