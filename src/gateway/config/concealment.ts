/** Shared documents as they may be shown: every secret in them hidden, all else as it is written. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Json } from '../../mesh/backplane/backplane.ts';
import type { JsonObject } from '../../mesh/backplane/json-object.ts';
import { toPointer, type ConfigPath } from './config-path.ts';
import type { Redaction } from './config.ts';
import { shownPath } from './displayed-config.ts';
import { documentValidatorOf } from './document-validator.ts';
import type { PluginCatalogue } from './plugin-catalogue.ts';
import { concealText, holdsPrivateKey, isSecretKey, withoutUserInfo } from './secret-text.ts';
import {
  isMapped,
  listEntries,
  pluginOf,
  withValues,
  type EntryKind,
  type SharedEntry,
} from './shared-entries.ts';
import { SHARED_KEYS, type SharedDocument } from './versions/shared-document.ts';

/** A secret's place. `path` is as `diff` names it, `text` what may be shown instead. */
export interface HiddenPlace extends Redaction {
  /** From the value that was concealed. */
  readonly steps: ConfigPath;
}

export interface Concealed<T> {
  readonly stored: T;
  /** The very same value where it holds no secret, and so do its parts. */
  readonly shown: T;
  readonly redactions: readonly HiddenPlace[];
}

export interface Concealer {
  entries(kind: EntryKind, entries: readonly SharedEntry[]): readonly Concealed<Json>[];
  /** Holds up the event loop for no more than some entries at a time. */
  document(document: SharedDocument): Promise<Concealed<SharedDocument>>;
}

const ENTRIES_A_TURN = 50;

/**
 * Secrets are what a schema marks `writeOnly`, values of keys that sound like one, passwords in
 * URLs, and every text of a plugin that is not in the catalogue. `${VAR}` names one and is none.
 */
export function createConcealer(catalogue: PluginCatalogue): Concealer {
  // Of a version that is read again and again.
  const known = new WeakMap<object, Concealed<Json>>();

  function secretsIn(kind: EntryKind, entries: readonly SharedEntry[]): ReadonlySet<string> {
    return new Set(
      documentValidatorOf(catalogue)({ meshgate: 1, ...structuredClone(fragmentOf(kind, entries)) })
        .secrets,
    );
  }

  function entries(kind: EntryKind, all: readonly SharedEntry[]): readonly Concealed<Json>[] {
    const unseen = all.filter(({ value }) => !isCompound(value) || !known.has(value));
    const secrets = unseen.length === 0 ? new Set<string>() : secretsIn(kind, unseen);
    const fresh = new Map(
      unseen.map((entry, i) => [entry, concealEntry(kind, entry, i, secrets, catalogue)]),
    );
    for (const [{ value }, concealed] of fresh) if (isCompound(value)) known.set(value, concealed);
    return all.map((entry) => fresh.get(entry) ?? known.get(entry.value as object)!);
  }

  return {
    entries,
    async document(stored) {
      let shown = stored;
      const redactions: HiddenPlace[] = [];
      for (const kind of SHARED_KEYS) {
        const all = listEntries(stored, kind);
        const values: Json[] = [];
        for (let i = 0; i < all.length; i += ENTRIES_A_TURN) {
          if (i > 0) await nextTurn();
          const some = all.slice(i, i + ENTRIES_A_TURN);
          for (const [j, concealed] of entries(kind, some).entries()) {
            values.push(concealed.shown);
            const { path } = some[j]!;
            for (const one of concealed.redactions) {
              redactions.push({ ...one, steps: [...path, ...one.steps] });
            }
          }
        }
        if (all.some(({ value }, i) => value !== values[i])) {
          shown = withValues(shown, kind, values);
        }
      }
      return { stored, shown, redactions };
    },
  };
}

/** A document of these entries alone. */
function fragmentOf(kind: EntryKind, entries: readonly SharedEntry[]): object {
  if (isMapped(kind)) {
    return { [kind]: Object.fromEntries(entries.map(({ name, value }) => [name, value])) };
  }
  const list = entries.map(({ name, value }) =>
    kind === 'plugins' ? { [pluginOf(name)]: value } : value,
  );
  return { [kind]: list };
}

function concealEntry(
  kind: EntryKind,
  { name, value }: SharedEntry,
  index: number,
  secrets: ReadonlySet<string>,
  catalogue: PluginCatalogue,
): Concealed<Json> {
  const plugin = pluginOf(name);
  const pointer = isMapped(kind)
    ? toPointer([kind, name])
    : toPointer(kind === 'plugins' ? [kind, index, plugin] : [kind, index]);
  const walk = new Walk(secrets, catalogue);
  const isUnknown = kind === 'plugins' && !catalogue.has(plugin);
  const shown = walk.conceal(value, {
    pointer,
    path: shownPath(kind, name),
    steps: [],
    key: kind === 'plugins' ? plugin : name,
    hides: isUnknown ? 'texts' : 'nothing',
    isName: true,
  });
  return { stored: value, shown, redactions: walk.hidden };
}

interface Place {
  readonly pointer: string;
  readonly path: string;
  readonly steps: ConfigPath;
  readonly key: string | number;
  /** What is hidden whatever it is called. */
  readonly hides: 'nothing' | 'texts' | 'scalars';
  /** The key is somebody's name and says nothing of the value. */
  readonly isName?: boolean;
}

class Walk {
  readonly hidden: HiddenPlace[] = [];
  readonly #secrets: ReadonlySet<string>;
  readonly #catalogue: PluginCatalogue;

  constructor(secrets: ReadonlySet<string>, catalogue: PluginCatalogue) {
    this.#secrets = secrets;
    this.#catalogue = catalogue;
  }

  conceal(value: Json, place: Place): Json {
    const hides = this.#secrets.has(place.pointer) ? 'scalars' : place.hides;
    if (Array.isArray(value)) {
      const items = (value as readonly Json[]).map((item, i) =>
        this.conceal(item, this.#below({ ...place, hides }, i, item)),
      );
      return items.every((item, i) => item === value[i]) ? value : items;
    }
    if (isCompound(value)) {
      const members = Object.entries(value as JsonObject) as [string, Json][];
      const shown = members.map(([key, member]): [string, Json] => [
        key,
        this.conceal(member, this.#below({ ...place, hides }, key, member)),
      ]);
      return shown.every(([, member], i) => member === members[i]![1])
        ? value
        : Object.fromEntries(shown);
    }
    return this.#concealScalar(value, place, hides);
  }

  #concealScalar(value: Json, place: Place, hides: Place['hides']): Json {
    if (typeof value === 'boolean' || value === null) return value;
    const isByKey = place.isName !== true && isSecretKey(place.key);
    const isText = typeof value === 'string';
    const isHidden =
      hides === 'scalars' || (isText && (hides === 'texts' || isByKey || holdsPrivateKey(value)));
    if (!isHidden && !isText) return value;
    const text = isText ? value : JSON.stringify(value);
    const shown = isHidden ? concealText(text) : withoutUserInfo(text);
    if (isHidden || shown !== value) {
      this.hidden.push({ path: place.path, steps: place.steps, text: shown });
    }
    return shown;
  }

  #below(place: Place, step: string | number, value: Json): Place {
    const { key, isName } = place;
    const isBelowSecret = isName !== true && isSecretKey(key) && typeof value !== 'boolean';
    const isPlugin = typeof step === 'string' && isPluginList(place);
    const isUnknown = isPlugin && !this.#catalogue.has(step);
    return {
      pointer: place.pointer + toPointer([step]),
      path: shownPath(place.path, step),
      steps: [...place.steps, step],
      key: isBelowSecret ? key : step,
      hides: isUnknown && place.hides === 'nothing' ? 'texts' : place.hides,
      isName: isPlugin,
    };
  }
}

/** A mapping of plugins, or one in a list of them. */
function isPluginList({ steps }: Place): boolean {
  return (
    steps.at(-1) === 'plugins' || (typeof steps.at(-1) === 'number' && steps.at(-2) === 'plugins')
  );
}

/** A list too. */
function isCompound(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
