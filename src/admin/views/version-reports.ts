/** Who runs a version: what nodes say of it, and who has to say something yet. */
import type { NodeVersion } from '../../gateway/config/versions/rollout.ts';
import type { VersionReport } from '../resources/configuration-access.ts';
import type { MeshNode } from './mesh-nodes.ts';

/** In the order of names. `live` are all nodes; those that do not take versions over are left out. */
export function toVersionReports(
  said: readonly NodeVersion[],
  live: readonly MeshNode[],
  version: number,
): VersionReport[] {
  const reports = new Map(said.map((one) => [one.node, toReport(one, version)]));
  for (const { name, config, started_at: at = EPOCH } of live) {
    // One that has just started, or has never known a version, has said nothing, and will.
    if (config !== 'shared' || reports.has(name)) continue;
    reports.set(name, { node: name, state: 'pending', version: 0, at });
  }
  return [...reports.values()].toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

const EPOCH = new Date(0).toISOString();

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
