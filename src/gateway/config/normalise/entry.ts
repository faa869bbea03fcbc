/** Named entries of a document: those that are normalised now, and those that are known already. */
import type { ConfigPath } from '../config-path.ts';
import type { Redaction } from '../config.ts';
import type { EntryRecord } from '../entry-record.ts';
import type { OnPart, PartHiding } from './document.ts';
import type { Draft } from './draft.ts';

/** All of a record that does not depend on what the entry is normalised to. */
type Finding<Facts> = Omit<EntryRecord<Facts>, 'digest'>;

export type NormalisedEntry<Item, Facts> =
  | {
      readonly item: Item;
      /** Undefined where it is not to be remembered. */
      readonly finding: Finding<Facts> | undefined;
      readonly record?: undefined;
    }
  | { readonly item?: undefined; readonly record: EntryRecord<Facts> };

const NONE = Object.freeze([]);

export class EntryReader {
  readonly redactions: Redaction[] = [];
  readonly #draft: Draft;
  readonly #onPart: OnPart;

  constructor(draft: Draft, onPart: OnPart) {
    this.#draft = draft;
    this.#onPart = onPart;
  }

  read<Item extends object, Facts>(
    name: string,
    known: EntryRecord<Facts> | undefined,
    path: ConfigPath,
    normalise: (path: ConfigPath) => { readonly item: Item; readonly facts: Facts },
  ): { readonly entry: NormalisedEntry<Item, Facts>; readonly facts: Facts } {
    if (known !== undefined) {
      for (const redaction of known.redactions) this.redactions.push(redaction);
      return { entry: { record: known }, facts: known.facts };
    }
    const { traces, pemReferences, pluginFiles } = this.#draft;
    traces.services = [];
    traces.callers = [];
    const marks = [traces.reports, pemReferences.length, pluginFiles.length];
    const { item, facts } = normalise(path);
    const hiding = this.part(item, name, path);
    const after = [traces.reports, pemReferences.length, pluginFiles.length];
    const isPlain = marks.every((mark, i) => mark === after[i]);
    const { services, callers } = traces;
    const uses = {
      services: services.length === 0 ? NONE : services,
      callers: callers.length === 0 ? NONE : callers,
    };
    return { entry: { item, finding: isPlain ? { ...hiding, uses, facts } : undefined }, facts };
  }

  part(item: object, name: string, path: ConfigPath): PartHiding {
    const hiding = this.#onPart(item, name, path);
    for (const redaction of hiding.redactions) this.redactions.push(redaction);
    return hiding;
  }
}
