/** Waits until every node runs a version, or one refuses it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { VersionReport } from '../admin/resources/configuration-access.ts';
import type { AdminClient } from './admin-client.ts';
import { AdminFailure } from './admin-failure.ts';
import { VERSIONS, type VersionDetail } from './config-versions.ts';
import { createPaint, type Paint } from './paint.ts';
import { createProgress } from './progress.ts';
import { toPrintable } from './table.ts';
import type { VerbIo } from './verb.ts';

export interface Rollout {
  readonly outcome: 'done' | 'refused' | 'late';
  /** As last heard. */
  readonly nodes: readonly VersionReport[];
  /** Why nothing newer could be heard. */
  readonly failure: string | undefined;
}

const POLL_MS = 300;

export async function waitForNodes(
  client: AdminClient,
  { stderr, env }: Pick<VerbIo, 'stderr' | 'env'>,
  version: number,
  timeoutMs: number,
): Promise<Rollout> {
  const deadline = performance.now() + timeoutMs;
  const progress = createProgress(stderr);
  const paint = createPaint(stderr, env);
  let nodes: readonly VersionReport[] = [];
  let failure: string | undefined;
  try {
    for (;;) {
      try {
        const { nodes: told } = await client.get<VersionDetail>(`${VERSIONS}/${version}`);
        nodes = told ?? nodes;
        failure = told === null ? 'the backplane cannot be asked' : undefined;
      } catch (error) {
        if (!(error instanceof AdminFailure) || error.isFinal) throw error;
        failure = error.message;
      }
      const outcome = toOutcome(nodes, version);
      if (outcome !== undefined && failure === undefined) return { outcome, nodes, failure };
      if (performance.now() >= deadline) return { outcome: 'late', nodes, failure };
      progress.show([
        toHeading(nodes, version, failure),
        ...nodes.map((node) => `  ${toNodeText(node, version, paint)}`),
      ]);
      await delay(Math.min(POLL_MS, Math.max(0, deadline - performance.now())));
    }
  } finally {
    progress.clear();
  }
}

/** Undefined while some have not said anything of it. */
function toOutcome(
  nodes: readonly VersionReport[],
  version: number,
): 'done' | 'refused' | undefined {
  if (nodes.some(({ state }) => state === 'refused')) return 'refused';
  const isDone = nodes.length > 0 && nodes.every((node) => runs(node, version));
  return isDone ? 'done' : undefined;
}

/** A newer one stands on it. */
export function runs({ state, version: running }: VersionReport, version: number): boolean {
  return state === 'applied' || running > version;
}

function toHeading(
  nodes: readonly VersionReport[],
  version: number,
  failure: string | undefined,
): string {
  const ready = nodes.filter((node) => runs(node, version)).length;
  const note = failure === undefined ? '' : ` (${failure.split('\n', 1)[0]!})`;
  return `version ${version}: on ${ready} of ${nodes.length} nodes${note}`;
}

export function toNodeText(node: VersionReport, version: number, paint: Paint): string {
  const { state, version: running } = node;
  const name = toPrintable(node.node);
  if (state === 'applied') return `${name}: ${paint('good', 'applied')}`;
  const own = running === 0 ? 'runs none' : `runs version ${running}`;
  if (state === 'refused') {
    const reason = (node.reason ?? 'no reason told').split('\n').map(toPrintable).join('\n    ');
    return `${name}: ${paint('bad', 'refused')}, ${own}: ${reason}`;
  }
  return `${name}: ${running > version ? own : `${paint('warn', 'pending')}, ${own}`}`;
}
