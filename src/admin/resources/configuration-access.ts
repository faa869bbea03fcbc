/** What the configuration's resources are built on. */
import type { Concealer } from '../../gateway/config/concealment.ts';
import type { PluginCatalogue } from '../../gateway/config/plugin-catalogue.ts';
import type { Explanation } from '../../gateway/explain/explain.ts';
import type { ExplainQuestion } from '../../gateway/explain/question.ts';
import type { Desk, DeskDependencies } from '../configuration-desk.ts';
import type { CertificateInForce } from './certificate-details.ts';

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

/** What the composition root gives. */
export interface ConfigurationSources extends Omit<DeskDependencies, 'schedule'> {
  readonly catalogue: PluginCatalogue;
  /** Who runs a version. Rejects with a `BackplaneError` in an outage. */
  readonly rollout: (version: number) => Promise<readonly VersionReport[]>;
  readonly certificateInForce: CertificateInForce;
  /** Rejects with an `UnexplainableError`. */
  readonly explain: (question: ExplainQuestion) => Promise<Explanation>;
}

export interface ConfigurationAccess extends Pick<
  ConfigurationSources,
  'store' | 'rollout' | 'explain' | 'certificateInForce'
> {
  readonly desk: Desk;
  readonly concealer: Concealer;
  /** Of a document that is sent whole. */
  readonly maxDocumentBytes: number;
}
