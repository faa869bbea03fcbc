/** The port of discovery: where a service's endpoints come from. */
import type { EndpointSpec } from '../endpoint.ts';

/**
 * Yields whole lists, in a stable order, and only when something changed. A source that
 * loses its origin keeps quiet: the last list stays in force (an empty answer is never
 * taken for the truth).
 */
export interface EndpointSource {
  /** Begins to look; `listener` may be called before this returns. To be called once until `stop`. */
  start(listener: EndpointListener): void;
  /** Ends all looking; the listener hears no more. */
  stop(): void;
}

export type EndpointListener = (endpoints: readonly EndpointSpec[]) => void;
