/** The port to one way of asking an endpoint how it is. */
import type { EndpointSpec } from '../endpoint.ts';
import type { UpstreamTarget } from '../transport/upstream.ts';
import type { CheckResult } from './check-verdict.ts';

/** What one look came to. */
export interface ProbeReport {
  readonly result: CheckResult;
  /** For people: `status 503`, `no connection`. */
  readonly detail: string;
}

/** A look under way. */
export interface ProbeAttempt {
  /** Gives it up; nothing is reported. */
  cancel(): void;
}

/**
 * Looks at an endpoint once, over a connection of its own: that new ones are taken is part of
 * the question. Reports exactly once, never before it has returned, within `timeoutMs`.
 */
export type Probe = (
  endpoint: EndpointSpec,
  timeoutMs: number,
  report: (report: ProbeReport) => void,
) => ProbeAttempt;

/** How the endpoints of a service are reached. */
export type ProbeProtocol = Pick<UpstreamTarget, 'protocol' | 'tls'>;
