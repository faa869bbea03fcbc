/** Measures Meshgate and other proxies at the same work; see README.md beside it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  developmentCertificatePath,
  loadDevelopmentCertificate,
} from '../src/gateway/listener/development-certificate.ts';
import type { BenchContext } from './bench-context.ts';
import { leaveProxyCore } from './cores.ts';
import { keepAwake } from './halt-polling.ts';
import { describeMachine } from './machine.ts';
import { parseBenchOptions, USAGE, type BenchOptions } from './options.ts';
import { PEERS } from './peers/peer-list.ts';
import { detectProgram } from './peers/presence.ts';
import type { Peer, PeerName } from './peers/peer.ts';
import { ProcessKeeper } from './process-keeper.ts';
import {
  toPlainTable,
  updateDocument,
  writeJson,
  type NamedResult,
  type Report,
} from './report.ts';
import { GROUPS, SCENARIOS } from './scenarios/scenario-list.ts';
import type { Scenario, ScenarioResult } from './scenarios/scenario.ts';
import { startUpstream } from './upstream.ts';

const DOCUMENT = join(import.meta.dirname, '../docs/performance.md');
/** Far more than any scenario needs: something hangs. */
const SCENARIO_LIMIT_MS = 15 * 60_000;

const say = (line: string) => console.log(line);

async function main(args: readonly string[]): Promise<number> {
  let options: BenchOptions | undefined;
  try {
    options = parseBenchOptions(args, {
      scenarios: SCENARIOS.map(({ name }) => name),
      groups: Object.fromEntries(
        Object.entries(GROUPS).map(([group, scenarios]) => [
          group,
          scenarios.map(({ name }) => name),
        ]),
      ),
      peers: PEERS.map(({ name }) => name),
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options === undefined) {
    say(USAGE);
    return 0;
  }
  const processes = new ProcessKeeper();
  const directory = await mkdtemp(join(tmpdir(), 'meshgate-bench-'));
  let putToSleep = async (): Promise<void> => undefined;
  const clear = async () => {
    await processes.stopAll();
    await rm(directory, { recursive: true, force: true });
    await putToSleep();
  };
  const giveUp = (reason: string, code: number) => {
    console.error(reason);
    void clear().finally(() => process.exit(code));
  };
  process.once('SIGINT', () => giveUp('interrupted', 130));
  process.once('SIGTERM', () => giveUp('terminated', 143));
  const count = options.only?.length ?? SCENARIOS.length;
  const watchdog = setTimeout(
    () => giveUp('the bench takes too long, and is given up', 1),
    count * SCENARIO_LIMIT_MS,
  );
  try {
    if (options.awake) putToSleep = await keepAwake();
    return await bench(options, processes, directory);
  } finally {
    clearTimeout(watchdog);
    await clear();
  }
}

async function bench(
  options: BenchOptions,
  processes: ProcessKeeper,
  directory: string,
): Promise<number> {
  await requireTools(processes);
  const { peers, versions } = await findPeers(options, processes);
  const machine = await describeMachine(versions);
  await leaveProxyCore(processes);
  const context: BenchContext = {
    options,
    processes,
    peers,
    directory,
    say,
    upstream: await startUpstream(processes, directory),
    certificateFile: await makeCertificate(directory),
  };
  const results: NamedResult[] = [];
  for (const scenario of SCENARIOS) {
    if (options.only?.includes(scenario.name) ?? true) results.push(await run(scenario, context));
  }
  const { rounds, seconds } = options;
  const report: Report = {
    date: new Date().toISOString(),
    machine,
    settings: { rounds, seconds },
    results,
  };
  if (options.json !== undefined) await writeJson(options.json, report);
  if (options.docs) await updateDocument(DOCUMENT, report);
  return results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

async function run(scenario: Scenario, context: BenchContext): Promise<NamedResult> {
  const { name, summary } = scenario;
  say(`\n${name}: ${summary}`);
  const result = await scenario.run(context).catch(toFailedResult);
  say(`\n${toPlainTable(result.table)}`);
  for (const line of [...result.notes, ...result.failures.map((failure) => `FAILED: ${failure}`)]) {
    say(line);
  }
  return { name, summary, ...result };
}

/** One scenario's failure is told in its place, and the others go on. */
function toFailedResult(error: unknown): ScenarioResult {
  const reason = error instanceof Error ? error.message : String(error);
  return { table: [], notes: [], failures: [reason], data: {} };
}

/** Names those that are not there; the bench goes on without them. */
async function findPeers(
  options: BenchOptions,
  processes: ProcessKeeper,
): Promise<{ peers: Map<PeerName, Peer>; versions: Record<string, string> }> {
  const peers = new Map<PeerName, Peer>();
  const versions: Record<string, string> = {};
  for (const peer of PEERS) {
    if (!(options.peers?.includes(peer.name) ?? true)) continue;
    const presence = await peer.detect(processes);
    if ('missing' in presence) {
      say(`skipped: ${peer.name} (${presence.missing})`);
    } else {
      peers.set(peer.name, peer);
      versions[peer.name] = presence.version;
    }
  }
  return { peers, versions };
}

async function requireTools(processes: ProcessKeeper): Promise<void> {
  for (const tool of [
    { command: ['nginx', '-v'], pattern: /nginx\/(\S+)/ },
    { command: ['wrk', '-v', '||', 'true'], pattern: /wrk (\S+)/ },
  ]) {
    const presence = await detectProgram(processes, tool.command, tool.pattern);
    if ('missing' in presence) throw new Error(`the bench cannot do without: ${presence.missing}`);
  }
}

async function makeCertificate(dataDir: string): Promise<string> {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  await loadDevelopmentCertificate({ names: ['localhost'], dataDir, clock });
  return developmentCertificatePath(dataDir);
}

process.exitCode = await main(process.argv.slice(2));
