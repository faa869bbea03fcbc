/** Whether this node should get traffic, and what an operator should know although it does. */

export interface ReloadReport {
  readonly successful: boolean;
  /** ISO 8601. */
  readonly at: string;
  /** One line each, as `meshgate check` prints them; empty after a success. */
  readonly errors: readonly string[];
}

/** Of the configuration that nodes share; a node whose file has all of it knows nothing of versions. */
export interface VersionReport {
  /** Whose the services, routes, consumers, plugins and certificates are. */
  readonly owner: 'file' | 'backplane';
  /** The one that serves; 0: none. */
  readonly version: number;
  /** The newest one, where this node could not take it over and stays with the one before. */
  readonly refused: RefusedVersion | undefined;
  /** Why the node must not get traffic yet, though it runs. */
  readonly missing: string | undefined;
}

/** Of a node that serves in processes of their own. */
export interface WorkersReport {
  readonly wanted: number;
  readonly ready: number;
  /** Since the node started: those that ended, and nobody had told them to. */
  readonly restarts: number;
}

export interface RefusedVersion {
  readonly version: number;
  readonly reason: string;
}

export interface ReadinessReport {
  readonly status: 'ready' | 'starting' | 'draining';
  readonly revision: number;
  readonly config_hash: string;
  /** Of the part that nodes share alone, by which they can be compared. */
  readonly config_shared_hash: string | undefined;
  /** The last attempt to apply a configuration; a failed one leaves the node ready on the one before. */
  readonly last_reload: ReloadReport | undefined;
  readonly config_owner: VersionReport['owner'];
  readonly config_version: number;
  readonly config_refused: RefusedVersion | undefined;
  readonly config_missing: string | undefined;
  /** Undefined: the node has none. */
  readonly workers: WorkersReport | undefined;
}

const OWN_FILE: VersionReport = {
  owner: 'file',
  version: 0,
  refused: undefined,
  missing: undefined,
};

/** Plain state; the app writes it, the probe reads it. */
export class Readiness {
  status: ReadinessReport['status'] = 'starting';
  revision = 0;
  configHash = '';
  sharedHash: string | undefined;
  lastReload: ReloadReport | undefined;
  /** Asked each time: the backplane may have said more meanwhile. */
  versions: () => VersionReport = () => OWN_FILE;
  workers: () => WorkersReport | undefined = () => undefined;

  report(): ReadinessReport {
    const { owner, version, refused, missing } = this.versions();
    const workers = this.workers();
    const isServing = missing === undefined && workers?.ready !== 0;
    return {
      status: this.status === 'ready' && !isServing ? 'starting' : this.status,
      revision: this.revision,
      config_hash: this.configHash,
      config_shared_hash: this.sharedHash,
      last_reload: this.lastReload,
      config_owner: owner,
      config_version: version,
      config_refused: refused,
      config_missing: missing,
      workers,
    };
  }
}
