/** The work of the thread of `load-in-thread.ts`: loads files, and hands the results over piece by piece. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { STREAMED_LISTS, toListPieces, type StreamedList } from './config-pieces.ts';
import { EntryMemory } from './entry-memory.ts';
import { listIssues } from './issue-list.ts';
import { documentValidatorOf } from './document-validator.ts';
import { loadEntries, type LoadedEntries } from './load.ts';
import {
  countItems,
  type CatalogueName,
  type LoadMessage,
  type LoadTask,
} from './load-in-thread.ts';
import type { LoadedEntry, LoadedLists } from './loaded-lists.ts';
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
  const module = (await import(reference.module)) as Readonly<Record<string, unknown>>;
  const catalogue = module[reference.name];
  if (!(catalogue instanceof Map)) {
    throw new TypeError(`${reference.module} exports no Map ${reference.name}`);
  }
  // Now, and not when the first file is waited for.
  documentValidatorOf(catalogue as PluginCatalogue);
  const memory = new EntryMemory();
  let sent: Digests = { services: [], routes: [], consumers: [], certificates: [] };
  for (;;) {
    const { file, isCheck, ...task } = (await inbox.take()) as LoadTask;
    const options = { ...task, catalogue: catalogue as PluginCatalogue };
    const result = await loadEntries(file, options, memory, isCheck);
    if (!result.ok) {
      inbox.answer({ type: 'refused', result: { ...result, ...listIssues(result.issues) } });
    } else if (isCheck) inbox.answer(toAccepted(result));
    else {
      sent = await sendPieces(inbox, result, sent);
      inbox.answer({ type: 'end' });
    }
  }
}

function toAccepted({ lists, warnings }: LoadedEntries): LoadMessage {
  const listed = listIssues(warnings);
  return { type: 'accepted', result: { ok: true, items: countItems(lists), ...listed } };
}

function toDigests(lists: LoadedLists): Digests {
  const digestsOf = (list: StreamedList): readonly string[] =>
    lists[list].map(({ digest }) => digest);
  return {
    services: digestsOf('services'),
    routes: digestsOf('routes'),
    consumers: digestsOf('consumers'),
    certificates: digestsOf('certificates'),
  };
}

/** What is remembered has been sent. */
function itemOf({ item }: LoadedEntry): object {
  if (item === undefined) throw new Error('an entry that is known was never sent');
  return item;
}

/** Of the entries that the other thread has. */
type Digests = Readonly<Record<StreamedList, readonly string[]>>;

/** Returns what the other thread has from then on. */
async function sendPieces(inbox: Inbox, loaded: LoadedEntries, sent: Digests): Promise<Digests> {
  const { head, lists, warnings, ok, hash, sharedHash, owner, files } = loaded;
  const { issues, unlisted } = listIssues(warnings);
  const told = { ok, hash, sharedHash, owner, files, warnings: issues };
  const result = { ...told, ...(unlisted > 0 && { unlisted }) };
  await send(inbox, { type: 'head', config: head, result });
  const digests = toDigests(lists);
  for (const list of STREAMED_LISTS) {
    const items = lists[list];
    const pieces = toListPieces(list, sent[list], digests[list], (at) => itemOf(items[at]!));
    for (const piece of pieces) await send(inbox, { type: 'items', piece });
  }
  return digests;
}

/** Resolves when the piece has been taken. */
async function send(inbox: Inbox, message: LoadMessage): Promise<void> {
  inbox.answer(message);
  await inbox.take();
}

if (parentPort !== null) await serve(createInbox(parentPort), workerData as CatalogueName);
