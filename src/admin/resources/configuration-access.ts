/** What the configuration's resources are built on. */
import type { Concealer } from '../../gateway/config/concealment.ts';
import type { VersionStore } from '../../gateway/config/versions/version-store.ts';
import type { Explanation } from '../../gateway/explain/explain.ts';
import type { ExplainQuestion } from '../../gateway/explain/question.ts';
import type { Desk } from '../configuration-desk.ts';

/** What a node says of a version. */
export interface VersionReport {
  readonly node: string;
  /** `pending`: it runs another one, and has said nothing of this one. */
  readonly state: 'applied' | 'refused' | 'pending';
  /** What it runs. */
  readonly version: number;
  readonly reason?: string;
  readonly at: string;
}

export interface ConfigurationAccess {
  readonly desk: Desk;
  readonly store: VersionStore;
  readonly concealer: Concealer;
  /** Who runs a version. Rejects with a `BackplaneError` in an outage. */
  readonly rollout: (version: number) => Promise<readonly VersionReport[]>;
  /** Rejects with an `UnexplainableError`. */
  readonly explain: (question: ExplainQuestion) => Promise<Explanation>;
}
