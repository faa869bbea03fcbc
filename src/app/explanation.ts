/** Explains what would become of a request: the same path, with nothing sent anywhere or left behind. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../gateway/config/config.ts';
import type { ServiceSurroundings } from '../gateway/config/create-service.ts';
import { readStickyKey } from '../gateway/config/sticky-key.ts';
import type { PathStage } from '../gateway/exchange/stage.ts';
import { explain, type Explanation } from '../gateway/explain/explain.ts';
import { toExplainRequest, type ExplainQuestion } from '../gateway/explain/question.ts';
import type { MeshNode } from '../mesh/node/mesh-node.ts';
import { firstEndpoints } from '../mesh/service/first-endpoints.ts';
import type { Clock } from '../plugins/sdk/plugin-context.ts';
import type { SnapshotFactory } from './snapshot-factory.ts';

export interface ExplanationOptions {
  readonly config: Config;
  readonly hash: string;
  readonly surroundings: ServiceSurroundings;
  readonly snapshots: SnapshotFactory;
  readonly node: MeshNode;
  readonly stages: readonly PathStage[];
  readonly clock: Clock;
}

export async function explainRequest(
  question: ExplainQuestion,
  options: ExplanationOptions,
): Promise<Explanation> {
  const { config, hash, surroundings, snapshots, node, stages, clock } = options;
  const quiet: ServiceSurroundings = {
    ...surroundings,
    environment: { ...surroundings.environment, isOwnCheck: () => false },
    stickyKey: () => readStickyKey(config.dataDir) ?? randomBytes(32),
  };
  await node.backplane.start();
  try {
    const snapshot = await snapshots.compile(config, 1, hash, quiet);
    try {
      await firstEndpoints(snapshot.services.values());
      return await explain(toExplainRequest(question, config), snapshot, stages, clock);
    } finally {
      snapshot.lease.supersede();
      await snapshots.onDemand.stop();
    }
  } finally {
    await node.backplane.close();
  }
}
