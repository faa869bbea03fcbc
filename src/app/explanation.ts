/** Explains what would become of a request: the same path, with nothing sent anywhere or left behind. */
import { randomBytes } from 'node:crypto';
import { ConfigurationError } from '../gateway/config/configuration-error.ts';
import type { ServiceSurroundings } from '../gateway/config/create-service.ts';
import { loadConfig, type Loaded } from '../gateway/config/load.ts';
import { readStickyKey } from '../gateway/config/sticky-key.ts';
import { readLastKnownPart } from '../gateway/config/versions/last-known-part.ts';
import type { PathStage } from '../gateway/exchange/stage.ts';
import { explain, type Explanation } from '../gateway/explain/explain.ts';
import { toExplainRequest, type ExplainQuestion } from '../gateway/explain/question.ts';
import type { MeshNode } from '../mesh/node/mesh-node.ts';
import { firstEndpoints } from '../mesh/service/first-endpoints.ts';
import type { Clock } from '../plugins/sdk/plugin-context.ts';
import { standardPlugins } from '../plugins/standard.ts';
import type { SnapshotFactory } from './snapshot-factory.ts';

export interface ExplanationOptions {
  /** What the file says. */
  readonly first: Loaded;
  readonly configFile: string;
  /** In place of what is in the file. */
  readonly document: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
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
  const { surroundings, snapshots, node, stages, clock } = options;
  const { config, hash } = await loadAsRun(options);
  const quiet: ServiceSurroundings = {
    ...surroundings,
    environment: { ...surroundings.environment, isOwnCheck: () => false },
    stickyKey: () => readStickyKey(config.dataDir) ?? randomBytes(32),
  };
  await node.backplane.start();
  try {
    const snapshot = await snapshots.compile(config, 1, hash, undefined, quiet);
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

/** With the version that ran here last, where the file leaves that to the backplane. */
async function loadAsRun({
  first,
  configFile,
  document,
  env,
}: ExplanationOptions): Promise<Loaded> {
  if (first.owner === 'file') return first;
  const shared = await readLastKnownPart({ config: first.config, configFile, env });
  if (shared === undefined) return first;
  const options = { catalogue: standardPlugins, env, text: document, shared };
  const loaded = await loadConfig(configFile, options);
  if (!loaded.ok) throw new ConfigurationError(loaded.issues);
  return loaded;
}
