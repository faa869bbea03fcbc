/** The long lists of a configuration that has been loaded, each entry with a digest of its content. */
import { hash } from 'node:crypto';
import { STREAMED_LISTS, type ConfigHead, type StreamedList } from './config-pieces.ts';
import type { Lesson } from './entry-memory.ts';
import type { EntryRecord } from './entry-record.ts';
import type { NormalisedDocument } from './normalise/document.ts';
import type { NormalisedEntry } from './normalise/entry.ts';
import { breathe } from './give-way.ts';

export interface LoadedEntry {
  /** SHA-256 of the JSON of what it is normalised to, in base64: two equal ones have the same. */
  readonly digest: string;
  /** Undefined where it was known already. */
  readonly item: object | undefined;
}

export type LoadedLists = Readonly<Record<StreamedList, readonly LoadedEntry[]>>;

interface ReadList<Facts> {
  readonly entries: readonly LoadedEntry[];
  readonly lesson: readonly (EntryRecord<Facts> | undefined)[];
}

export function toLoadedLists(document: Omit<NormalisedDocument, 'head' | 'redactions'>): {
  readonly lists: LoadedLists;
  readonly lesson: Lesson;
} {
  const services = readList(document.services);
  const routes = readList(document.routes);
  const consumers = readList(document.consumers);
  const certificates = document.certificates.map((item) => ({ digest: digestOf(item), item }));
  return {
    lists: {
      services: services.entries,
      routes: routes.entries,
      consumers: consumers.entries,
      certificates,
    },
    lesson: {
      services: services.lesson,
      routes: routes.lesson,
      consumers: consumers.lesson,
    },
  };
}

/**
 * SHA-256, 64 lower-case hex digits: of the whole, and of what nodes share alone. Of values it is;
 * where they came from (`redactions`) is no part of that.
 */
export function hashOf(
  head: ConfigHead,
  lists: LoadedLists,
): { readonly hash: string; readonly listsHash: string } {
  const digests = STREAMED_LISTS.map((list) =>
    hash('sha256', lists[list].map(({ digest }) => digest).join('\n')),
  );
  return {
    hash: hash('sha256', JSON.stringify([{ ...head, redactions: undefined }, digests])),
    listsHash: hash('sha256', JSON.stringify([head.plugins, digests])),
  };
}

function readList<Item extends object, Facts>(
  normalised: readonly NormalisedEntry<Item, Facts>[],
): ReadList<Facts> {
  const entries: LoadedEntry[] = [];
  const lesson: (EntryRecord<Facts> | undefined)[] = [];
  for (const [i, { item, record, ...rest }] of normalised.entries()) {
    breathe(i);
    if (record === undefined) {
      const digest = digestOf(item);
      const { finding } = rest as {
        readonly finding: Omit<EntryRecord<Facts>, 'digest'> | undefined;
      };
      entries.push({ digest, item });
      lesson.push(finding && { digest, ...finding });
    } else {
      entries.push({ digest: record.digest, item: undefined });
      lesson.push(undefined);
    }
  }
  return { entries, lesson };
}

function digestOf(item: object): string {
  return hash('sha256', JSON.stringify(item), 'base64');
}
