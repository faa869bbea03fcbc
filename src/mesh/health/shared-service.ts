/** What sharing needs of a service; `Service` is one. */
import type { Endpoint } from '../endpoint.ts';
import type { ActiveChecks } from './active-checks.ts';
import type { OutlierDetector } from './outlier-detector.ts';

export interface SharedService {
  readonly name: string;
  /** Its name in the mesh; undefined: what happens to its endpoints is this node's own business. */
  readonly sharedAs: string | undefined;
  readonly adaptiveWeights: boolean;
  readonly endpoints: readonly Endpoint[];
  readonly health: SharedHealth;
  readonly isStopped: boolean;
  /** After a change of an endpoint. */
  refresh(): void;
}

export interface SharedHealth {
  readonly outliers: Pick<OutlierDetector, 'adopt' | 'release'> | undefined;
  readonly checks: Pick<ActiveChecks, 'adopt' | 'suspect' | 'checked' | 'detailOf'> | undefined;
  /** The same on all nodes that check in the same way; undefined where there is nothing to share. */
  readonly checkKey: string | undefined;
  /** Hears each change of an endpoint's `healthy` or `ejected`; returns how to stop that. */
  listen(listener: () => void): () => void;
}
