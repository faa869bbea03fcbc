/** How many file descriptors this process may have, every socket being one, and whether they suffice. */
import type { ListenerConfig } from '../gateway/config/listener-config.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';

interface ReportedLimits {
  readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } };
}

/**
 * RLIMIT_NOFILE, which node has raised to the hard limit when it started. Infinity where there is
 * none, or the system does not tell.
 */
export function readDescriptorLimit(): number {
  // @types/node does not know this one.
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  const before = report.excludeNetwork;
  // It would look up the names of peers, one by one.
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as ReportedLimits;
  report.excludeNetwork = before;
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : Infinity;
}

/** Says of each listener that it may have more connections than there are descriptors for; once. */
export class DescriptorWarning {
  readonly #openFiles: number;
  /** Connections that may be open at once, of all listeners together. */
  readonly #available: number;
  readonly #log: Log;
  readonly #said = new Set<string>();

  constructor(openFiles: number, available: number, log: Log) {
    this.#openFiles = openFiles;
    this.#available = available;
    this.#log = log;
  }

  check(listeners: readonly ListenerConfig[]): void {
    for (const { name, limits } of listeners) {
      const wanted = limits.maxConnections;
      const key = `${name} ${wanted}`;
      if (wanted <= this.#available || this.#said.has(key)) continue;
      this.#said.add(key);
      this.#log.warn(
        {
          listener: name,
          connections: wanted,
          openFiles: this.#openFiles,
          effectiveConnections: this.#available,
          openFilesNeeded: wanted * 2,
        },
        'limits.connections is more than the limit of open files allows, and is capped; raise the ' +
          'limit (ulimit -n, LimitNOFILE=, --ulimit nofile=) or lower limits.connections',
      );
    }
  }
}
