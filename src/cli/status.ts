/** `meshgate status`: how the node that is asked is, and the fleet as it knows it. */
import { parseArgs } from 'node:util';
import type { NodeStatus } from '../admin/resources/node-status.ts';
import type { VersionReport } from '../admin/resources/configuration-access.ts';
import { ADMIN_USAGE, type AdminClient } from './admin-client.ts';
import { AdminFailure } from './admin-failure.ts';
import { printJson, withAdmin } from './admin-verb.ts';
import { readHead, VERSIONS, type Head, type VersionDetail } from './config-versions.ts';
import { toServiceProblems } from './service-lines.ts';
import { printStatus } from './status-text.ts';
import type { Verb, VerbOptions } from './verb.ts';

const OPTIONS = { json: { type: 'boolean' } } as const satisfies VerbOptions;

export const status: Verb = {
  name: 'status',
  summary: 'Show how a node and its fleet are: versions, services, nodes, backplane, last reload.',
  usage: `meshgate status [--json]

  --json  Print { well, problems, node, configuration, nodes, silent, endpoints }

Of each service that the node calls it shows how many endpoints are well. Without a healthCheck one is taken
to be well until requests to it fail; one that routes lead to, and that has none, is not well.

${ADMIN_USAGE}
Exit code 0: all is well; 1: something is not, or the admin API cannot be asked; 2: misuse.

Examples:
  meshgate status
  meshgate status --json | jq -r '.problems[]'
  MESHGATE_ADMIN=http://10.0.0.7:8001 meshgate status`,
  options: OPTIONS,
  async run(argv, io) {
    const { values } = parseArgs({ args: argv, options: OPTIONS });
    return withAdmin('status', io, async (client) => {
      const fleet = await readFleet(client);
      const problems = toProblems(fleet, Date.now());
      const isWell = problems.length === 0;
      if (values.json === true) printJson(io, { well: isWell, problems, ...fleet });
      else printStatus(io, fleet, problems);
      return isWell ? 0 : 1;
    });
  },
};

interface FleetNode {
  readonly name: string;
  readonly version: string | null;
  readonly zone: string | null;
  readonly started_at: string | null;
  /** `shared`, `file`, or `none`: it has no key to read versions with; null: it does not say. */
  readonly config: string | null;
  /** What it says of the newest version of the shared configuration; null: nothing. */
  readonly configuration: Omit<VersionReport, 'node'> | null;
}

export interface Fleet {
  readonly node: NodeStatus;
  readonly configuration: {
    readonly owner: Head['owner'];
    /** The newest; null where the file owns it, or none has been written. */
    readonly newest: Omit<VersionDetail, 'nodes' | 'changes' | 'document' | 'previous'> | null;
    readonly staleness_seconds: number;
  };
  readonly nodes: readonly FleetNode[];
  /** Names of those that fell silent without saying goodbye. */
  readonly silent: readonly string[];
  /** Of the mesh, by state. */
  readonly endpoints: Readonly<Record<string, number>>;
}

/** A version that some have not taken over after that is stuck. */
const SETTLED_MS = 15_000;

async function readFleet(client: AdminClient): Promise<Fleet> {
  const [node, head, listed, services] = await Promise.all([
    client.get<NodeStatus>('v1/status'),
    readSharedHead(client),
    client.list<Readonly<Record<string, unknown>>>('v1/mesh/nodes'),
    client.list<{ readonly endpoints: Readonly<Record<string, number>> }>('v1/mesh/services'),
  ]);
  const { owner, version } = head;
  const detail =
    version === 0 ? undefined : await client.get<VersionDetail>(`${VERSIONS}/${version}`);
  const reports = new Map(detail?.nodes?.map(({ node: name, ...report }) => [name, report]));
  const known = new Map(listed.items.map((item) => [String(item['name']), item]));
  // One that has reported may not be listed yet, or no longer.
  const names = [...new Set([...known.keys(), ...reports.keys()])].toSorted();
  const endpoints: Record<string, number> = {};
  for (const service of services.items) {
    for (const [state, count] of Object.entries(service.endpoints)) {
      endpoints[state] = (endpoints[state] ?? 0) + count;
    }
  }
  return {
    node,
    configuration: {
      owner,
      newest: detail === undefined ? null : toInfo(detail),
      staleness_seconds: head.stalenessSeconds,
    },
    nodes: names.map((name) => {
      const { version: program, zone, started_at: startedAt, config } = known.get(name) ?? {};
      return {
        name,
        version: toText(program),
        zone: toText(zone),
        started_at: toText(startedAt),
        config: toText(config),
        configuration: reports.get(name) ?? null,
      };
    }),
    silent: listed.missing,
    endpoints,
  };
}

/** A node without a shared configuration has no such resource. */
async function readSharedHead(client: AdminClient): Promise<Head> {
  try {
    return await readHead(client);
  } catch (error) {
    if (!(error instanceof AdminFailure) || error.status !== 404) throw error;
    return { owner: 'file', version: 0, stalenessSeconds: 0 };
  }
}

function toInfo(detail: VersionDetail): Fleet['configuration']['newest'] {
  const { version, author, at, message, hash, pinned, rollback_of: of } = detail;
  const info = { version, author, at, message, hash, pinned };
  return of === undefined ? info : { ...info, rollback_of: of };
}

function toText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** What is not well, a sentence each. */
function toProblems(fleet: Fleet, nowMs: number): readonly string[] {
  const { node, configuration, nodes, silent } = fleet;
  const problems: string[] = [];
  const { last_reload: reload, missing } = node.configuration;
  if (node.state !== 'ready') {
    const why = missing === null ? '' : `; missing: ${missing}`;
    problems.push(`${node.node} is ${node.state}${why}`);
  }
  if (reload?.successful === false) {
    problems.push(`${node.node} refused its configuration, and runs the one before`);
  }
  if (node.workers !== null && node.workers.ready < node.workers.wanted) {
    problems.push(`${node.node} has ${node.workers.ready} of ${node.workers.wanted} workers`);
  }
  if (!node.backplane.connected) {
    const since = Math.ceil(node.backplane.staleness_seconds);
    problems.push(`${node.node} has not heard of the backplane for ${since} s`);
  }
  for (const name of silent) problems.push(`${name} fell silent`);
  const { newest } = configuration;
  for (const { name, configuration: report } of nodes) {
    if (newest === null || report === null) continue;
    if (report.state === 'refused') problems.push(`${name} refused version ${newest.version}`);
    // Who lags a second behind a change is well.
    const isSettled = nowMs - Date.parse(newest.at) > SETTLED_MS;
    if (report.state === 'pending' && report.version < newest.version && isSettled) {
      problems.push(`${name} still runs version ${report.version}, not ${newest.version}`);
    }
  }
  problems.push(...toServiceProblems(node));
  return problems;
}
