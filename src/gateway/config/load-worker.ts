/** The thread of `load-in-thread.ts`: loads files, and hands the results over piece by piece. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { toHead, toPieces } from './config-pieces.ts';
import { giveWay } from './give-way.ts';
import { listIssues } from './issue-list.ts';
import { documentValidatorOf } from './document-validator.ts';
import { loadConfig, type Loaded, type LoadResult } from './load.ts';
import {
  countItems,
  type CatalogueName,
  type LoadMessage,
  type LoadTask,
} from './load-in-thread.ts';
import type { PluginCatalogue } from './plugin-catalogue.ts';

/** What has come and was not taken yet; a port drops what nobody listens for. */
interface Inbox {
  take(): Promise<unknown>;
  answer(message: LoadMessage): void;
}

function createInbox(port: MessagePort): Inbox {
  const messages: unknown[] = [];
  let wake = (): void => {};
  port.on('message', (message: unknown) => {
    messages.push(message);
    wake();
  });
  return {
    answer: (message) => port.postMessage(message),
    async take() {
      while (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return messages.shift();
    },
  };
}

/** One file after the other, until the thread is ended. */
async function serve(inbox: Inbox, reference: CatalogueName): Promise<never> {
  giveWay();
  const module = (await import(reference.module)) as Readonly<Record<string, unknown>>;
  const catalogue = module[reference.name];
  if (!(catalogue instanceof Map)) {
    throw new TypeError(`${reference.module} exports no Map ${reference.name}`);
  }
  // Now, and not when the first file is waited for.
  documentValidatorOf(catalogue as PluginCatalogue);
  for (;;) {
    const { file, isCheck, ...task } = (await inbox.take()) as LoadTask;
    const options = { ...task, catalogue: catalogue as PluginCatalogue, freezes: false };
    const result = await loadConfig(file, options);
    if (result.ok && isCheck) inbox.answer(toAccepted(result));
    else {
      if (result.ok) await sendPieces(inbox, result);
      inbox.answer(toLast(result));
    }
  }
}

function toAccepted({ config, warnings }: Loaded): LoadMessage {
  const listed = listIssues(warnings);
  return { type: 'accepted', result: { ok: true, items: countItems(config), ...listed } };
}

function toLast(result: LoadResult): LoadMessage {
  if (result.ok) return { type: 'end' };
  return { type: 'refused', result: { ...result, ...listIssues(result.issues) } };
}

async function sendPieces(inbox: Inbox, loaded: Loaded): Promise<void> {
  const { config, warnings, ...rest } = loaded;
  const { issues, unlisted } = listIssues(warnings);
  const result = { ...rest, warnings: issues, ...(unlisted > 0 && { unlisted }) };
  await send(inbox, { type: 'head', config: toHead(config), result });
  for (const piece of toPieces(config)) await send(inbox, { type: 'items', ...piece });
}

/** Resolves when the piece has been taken. */
async function send(inbox: Inbox, message: LoadMessage): Promise<void> {
  inbox.answer(message);
  await inbox.take();
}

if (parentPort !== null) await serve(createInbox(parentPort), workerData as CatalogueName);
