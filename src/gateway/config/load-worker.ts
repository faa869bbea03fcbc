/** The thread of `load-in-thread.ts`: loads a file and hands the result over piece by piece. */
import { once } from 'node:events';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { listIssues } from './issue-list.ts';
import { loadConfig, type Loaded } from './load.ts';
import { STREAMED_LISTS, type LoadMessage, type LoadTask } from './load-in-thread.ts';
import type { PluginCatalogue } from './plugin-catalogue.ts';

/** A piece is received and frozen in about a millisecond. */
const MAX_PIECE_CHARACTERS = 64 * 1024;
const MAX_PIECE_ITEMS = 200;

async function run(port: MessagePort, task: LoadTask): Promise<void> {
  const module = (await import(task.catalogue.module)) as Readonly<Record<string, unknown>>;
  const catalogue = module[task.catalogue.name];
  if (!(catalogue instanceof Map)) {
    throw new TypeError(`${task.catalogue.module} exports no Map ${task.catalogue.name}`);
  }
  const result = await loadConfig(task.file, {
    catalogue: catalogue as PluginCatalogue,
    env: task.env,
    text: task.text,
    shared: task.shared,
  });
  const last: LoadMessage = result.ok
    ? { type: 'end' }
    : { type: 'refused', result: { ...result, ...listIssues(result.issues) } };
  if (result.ok) await sendPieces(port, result);
  port.postMessage(last);
}

async function sendPieces(port: MessagePort, loaded: Loaded): Promise<void> {
  const { config, warnings, ...rest } = loaded;
  const { issues, unlisted } = listIssues(warnings);
  const result = { ...rest, warnings: issues, ...(unlisted > 0 && { unlisted }) };
  const { services, routes, consumers, ...head } = config;
  await send(port, { type: 'head', config: head, result });
  const lists = { services, routes, consumers };
  for (const list of STREAMED_LISTS) {
    for (const items of toPieces(lists[list])) await send(port, { type: 'items', list, items });
  }
}

function* toPieces(items: readonly object[]): Generator<readonly object[]> {
  let piece: object[] = [];
  let characters = 0;
  for (const item of items) {
    piece.push(item);
    characters += JSON.stringify(item).length;
    if (characters < MAX_PIECE_CHARACTERS && piece.length < MAX_PIECE_ITEMS) continue;
    yield piece;
    piece = [];
    characters = 0;
  }
  if (piece.length > 0) yield piece;
}

/** Resolves when the piece has been taken. */
async function send(port: MessagePort, message: LoadMessage): Promise<void> {
  const taken = once(port, 'message');
  port.postMessage(message);
  await taken;
}

if (parentPort !== null) {
  await run(parentPort, workerData as LoadTask);
  parentPort.close();
}
