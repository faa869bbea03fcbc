/** The admin API of this node. Traffic does not go without a node because its operators cannot ask it. */
import { createAdminServer } from '../admin/admin-server.ts';
import type { NodeStatus } from '../admin/resources/node-status.ts';
import { readNodes } from '../admin/views/mesh-nodes.ts';
import { toVersionReports } from '../admin/views/version-reports.ts';
import type { Config } from '../gateway/config/config.ts';
import type { PathStage } from '../gateway/exchange/stage.ts';
import { explain } from '../gateway/explain/explain.ts';
import { toExplainRequest } from '../gateway/explain/question.ts';
import { toListenError } from '../gateway/listener/listen-error.ts';
import type { Tap } from '../gateway/observe/tap.ts';
import { countStates } from '../gateway/status/gateway-metrics.ts';
import type { Readiness } from '../gateway/status/readiness.ts';
import type { Service } from '../mesh/service/service.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';
import { standardPlugins } from '../plugins/standard.ts';
import { VERSION } from '../version.ts';
import type { Configuration } from './configuration.ts';
import { createFileDocument } from './file-document.ts';
import type { Mesh } from './mesh.ts';
import type { SharedConfiguration } from './shared-configuration.ts';

export interface Admin {
  /** Tells it which configuration is in force from now on. */
  applied(config: Config): void;
  /** Whose the shared part is may have changed, and nothing else. */
  owned(): void;
  /** Resolves to its port; where the address cannot be had the log tells, and the API stays closed. */
  start(): Promise<number | undefined>;
  stop(): Promise<void>;
  /** Entries of the audit log that could not be kept in the backplane. */
  droppedAuditEntries(): number;
}

export interface AdminParts {
  /** What it was started with. */
  readonly config: Config;
  readonly configFile: string;
  /** In place of what is in the file. */
  readonly document: string | undefined;
  readonly mesh: Pick<Mesh, 'node' | 'announceAdmin'>;
  /** By which this node's traffic is watched. */
  readonly tap: Tap;
  readonly shared: SharedConfiguration;
  readonly configuration: Configuration;
  /** Those that are called now. */
  readonly services: () => readonly Service[];
  readonly readiness: Readiness;
  /** Those of the request path. */
  readonly stages: readonly PathStage[];
  readonly clock: Clock;
  readonly log: Log;
}

export function createAdmin(parts: AdminParts): Admin {
  const { config, configFile, document, mesh, tap, shared, configuration, stages } = parts;
  const { clock, log } = parts;
  const { node } = mesh;
  const { dataDir } = config;
  const { address, maxDocumentBytes } = config.admin;
  const { registry, backplane, nodeId } = node;
  const fileDocument = createFileDocument(configFile, document, log);
  let inForce = config;
  const server = createAdminServer({
    address,
    registry,
    backplane,
    dataDir,
    maxDocumentBytes,
    node: nodeId,
    lostNodes: () => node.lostNodes,
    tap,
    status: createStatus(parts, () => inForce),
    configuration: {
      store: shared.versions,
      check: (candidate) => configuration.check(candidate),
      fileDocument: () => fileDocument.current(),
      catalogue: standardPlugins,
      async rollout(version) {
        const [said, live] = await Promise.all([shared.rollout.nodes(), readNodes(backplane)]);
        return toVersionReports(said, live, version);
      },
      certificateInForce: (name) =>
        inForce.certificates.find((certificate) => certificate.name === name)?.cert,
      explain: async (question) =>
        explain(toExplainRequest(question, inForce), configuration.current, stages, clock),
    },
    clock,
    log,
  });
  const owned = (): void => {
    fileDocument.update(shared.owner === 'file');
  };
  return {
    applied(next) {
      inForce = next;
      owned();
    },
    owned,
    async start() {
      const started = await server.start().catch((error: unknown) => {
        const place = { name: 'admin', own: 'admin', ...address } as const;
        const { message } = toListenError(error as NodeJS.ErrnoException, place);
        log.warn({ reason: message }, 'the admin API is closed');
      });
      if (started) await mesh.announceAdmin(started);
      return started?.port;
    },
    stop: () => server.stop(),
    droppedAuditEntries: () => server.droppedAuditEntries(),
  };
}

function createStatus(
  { config, mesh, services, readiness, clock }: AdminParts,
  inForce: () => Config,
): () => NodeStatus {
  const { node } = mesh;
  const startedAt = new Date(clock.now()).toISOString();
  return () => {
    const report = readiness.report();
    const { last_reload: last, config_refused: refused } = report;
    const { connected, stalenessMs, reason } = node.backplane.status();
    return {
      node: node.nodeId,
      version: VERSION,
      state: report.status,
      started_at: startedAt,
      configuration: {
        revision: report.revision,
        hash: report.config_hash,
        shared_hash: report.config_shared_hash ?? null,
        owner: report.config_owner,
        version: report.config_version,
        refused: refused === undefined ? null : { ...refused },
        missing: report.config_missing ?? null,
        last_reload: last === undefined ? null : { ...last, errors: [...last.errors] },
      },
      workers: report.workers === undefined ? null : { ...report.workers },
      services: toServiceStates(services(), inForce()),
      backplane: {
        kind: config.backplane.redis === undefined ? 'embedded' : 'redis',
        connected,
        staleness_seconds: Math.round(stalenessMs / 100) / 10,
        reason: reason ?? null,
      },
    };
  };
}

function toServiceStates(services: readonly Service[], { routes }: Config): NodeStatus['services'] {
  const targets = routes.flatMap((route) => route.targets);
  const routed = new Set(targets.map((target) => target.kind === 'service' && target.service));
  return services.map(({ name, endpoints, health }) => ({
    name,
    total: endpoints.length,
    ...countStates(endpoints),
    checked: health.checks !== undefined,
    routed: routed.has(name),
  }));
}
