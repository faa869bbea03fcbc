/** The admin API of this node. Traffic does not go without a node because its operators cannot ask it. */
import { createAdminServer } from '../admin/admin-server.ts';
import type { VersionReport } from '../admin/resources/configuration-access.ts';
import type { Config } from '../gateway/config/config.ts';
import type { NodeVersion } from '../gateway/config/versions/rollout.ts';
import type { Explanation } from '../gateway/explain/explain.ts';
import type { ExplainQuestion } from '../gateway/explain/question.ts';
import { toListenError } from '../gateway/listener/listen-error.ts';
import type { MeshNode } from '../mesh/node/mesh-node.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';
import { standardPlugins } from '../plugins/standard.ts';
import type { Configuration } from './configuration.ts';
import type { FileDocument } from './file-document.ts';
import type { SharedConfiguration } from './shared-configuration.ts';

export interface Admin {
  /** Where the address cannot be had the log tells, and the API stays closed. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface AdminParts {
  /** What it was started with. */
  readonly config: Config;
  readonly node: MeshNode;
  readonly shared: SharedConfiguration;
  readonly configuration: Configuration;
  readonly fileDocument: FileDocument;
  /** By what serves now. */
  readonly explain: (question: ExplainQuestion) => Promise<Explanation>;
  readonly clock: Clock;
  readonly log: Log;
}

export function createAdmin(parts: AdminParts): Admin {
  const { config, node, shared, configuration, fileDocument, explain, clock, log } = parts;
  const { admin: address, dataDir } = config;
  const { registry, backplane, nodeId } = node;
  const server = createAdminServer({
    address,
    registry,
    backplane,
    dataDir,
    node: nodeId,
    configuration: {
      store: shared.versions,
      check: (document) => configuration.check(document),
      fileDocument: () => fileDocument.current,
      catalogue: standardPlugins,
      async rollout(version) {
        const nodes = await shared.rollout.nodes();
        return nodes.map((one) => toReport(one, version));
      },
      explain,
    },
    clock,
    log,
  });
  return {
    async start() {
      await server.start().catch((error: unknown) => {
        const place = { name: 'admin', ...address };
        const { message } = toListenError(error as NodeJS.ErrnoException, place);
        log.warn({ reason: message }, 'the admin API is closed');
      });
    },
    stop: () => server.stop(),
  };
}

/** What a node says, about one version. */
function toReport(said: NodeVersion, version: number): VersionReport {
  const { node, at, state, reason } = said;
  const runs = state === 'applied' ? said.version : (said.runs?.version ?? 0);
  if (runs === version) return { node, state: 'applied', version: runs, at };
  if (state === 'refused' && said.version === version) {
    return { node, state, version: runs, at, ...(reason !== undefined && { reason }) };
  }
  return { node, state: 'pending', version: runs, at };
}
