/** Whether this node should get traffic, and what an operator should know although it does. */

export interface ReloadReport {
  readonly successful: boolean;
  /** ISO 8601. */
  readonly at: string;
  /** One line each, as `meshgate check` prints them; empty after a success. */
  readonly errors: readonly string[];
}

export interface ReadinessReport {
  readonly status: 'ready' | 'starting' | 'draining';
  readonly revision: number;
  readonly config_hash: string;
  /** The last attempt to apply a configuration; a failed one leaves the node ready on the one before. */
  readonly last_reload: ReloadReport | undefined;
}

/** Plain state; the app writes it, the probe reads it. */
export class Readiness {
  status: ReadinessReport['status'] = 'starting';
  revision = 0;
  configHash = '';
  lastReload: ReloadReport | undefined;

  report(): ReadinessReport {
    return {
      status: this.status,
      revision: this.revision,
      config_hash: this.configHash,
      last_reload: this.lastReload,
    };
  }
}
