/** What an entry of a document was checked and normalised to, so that it need not be done again. */
import type { ConfigReference } from '../../plugins/sdk/define-plugin.ts';
import type { ConfigPath } from './config-path.ts';
import type { Redaction } from './config.ts';

/** What it refers to by name, all of which was there. */
export interface EntryUses {
  readonly services: readonly string[];
  readonly callers: readonly ConfigReference[];
}

/** Of an entry of which nothing was reported, and that names no files: those may change beside it. */
export interface EntryRecord<Facts> {
  /** Of what it is normalised to: see `digestOf`. */
  readonly digest: string;
  readonly redactions: readonly Redaction[];
  /** Whether it has values that may not be shown. */
  readonly isHiding: boolean;
  readonly uses: EntryUses;
  /** What other entries are compared with. */
  readonly facts: Facts;
}

export interface ServiceFacts {
  /** It has a list of endpoints, and nothing in it. */
  readonly isEmpty: boolean;
  /** Of the endpoints that are in the file. */
  readonly metadata: readonly Readonly<Record<string, string>>[];
}

export interface RouteFacts {
  readonly name: string;
  /** Those it names; empty: all. */
  readonly listeners: readonly string[];
  /** Of its match entries: two with the same key have the same rank. */
  readonly matchKeys: readonly string[];
  readonly matchForm: 'none' | 'single' | 'list';
  /** No target has a weight. */
  readonly isWeightless: boolean;
  /** Services of its targets, in their order. */
  readonly targets: readonly string[];
  /** Where a part of a service's endpoints is meant. */
  readonly subsets: readonly {
    readonly service: string | undefined;
    readonly where: Readonly<Record<string, string>>;
    readonly place: ConfigPath;
  }[];
  /** What means nothing where callers are not known; none where this route asks for them. */
  readonly callerIssues: readonly { readonly place: ConfigPath; readonly message: string }[];
}

export interface ConsumerFacts {
  readonly name: string;
  readonly groups: readonly string[];
  /** What it is known by, and nobody else may be. */
  readonly credentials: readonly Credential[];
}

export interface Credential {
  readonly key: string;
  /** For people, e.g. `API key`. */
  readonly what: string;
  readonly place: ConfigPath;
}
