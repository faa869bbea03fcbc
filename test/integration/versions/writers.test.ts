/** Many writers at many nodes, while one of these is killed and Redis is failed over. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, onTestFailed, onTestFinished } from 'vitest';
import { startSentinelGroup } from '../../redis/redis-sentinel.ts';
import { eventually } from '../process/gateway-process.ts';
import { startAdminFleet, type FleetNode } from './admin-fleet.ts';
import {
  answerBy,
  createRandom,
  FIRST,
  PATHS,
  planChanges,
  type AskedFor,
  type Change,
  type SharedPart,
} from './random-changes.ts';

const CHANGES = 200;
/** All versions of a run are kept: fewer than the hundred of the history, with some that were tried again. */
const VALID = 80;
const WRITERS = 5;
const MOST_TRIES = 150;
const PAUSE_MS = 100;

/** `unchanged`: the newest version says it already. `unknown`: it may have been made or not, as whoever asked was told. */
interface Tried extends Pick<AskedFor, 'toNext'> {
  readonly tag: string;
  readonly outcome: 'accepted' | 'unchanged' | 'refused' | 'unknown';
  readonly status: number;
  /** Of an accepted one. */
  readonly version: number;
}

it(
  'loses no update and applies none by halves, and all nodes end up with the same',
  { timeout: 90_000 },
  async () => {
    const seed = Number(process.env['MESHGATE_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    onTestFailed(() => console.error(`to try it again: MESHGATE_TEST_SEED=${seed}`));
    const group = await startSentinelGroup();
    onTestFinished(() => group.stop());
    const { one, two, killed } = await startAdminFleet(group.target, {
      one: { as: 'app' },
      two: { as: 'app' },
      killed: { as: 'program' },
    });
    const nodes = [one, two, killed];
    await one.must('/v1/config?message=first', { method: 'PUT', body: FIRST });
    await Promise.all(nodes.map((node) => node.runs(1)));

    const random = createRandom(seed);
    const changes = planChanges(CHANGES, VALID, random);
    const tried: Tried[] = [];
    const settled = createCounter();
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      const own = createRandom(seed + writer);
      for (let i = writer; i < CHANGES; i += WRITERS) {
        await insist(changes[i]!, String(i), nodes, own, tried);
        settled.add();
      }
    });
    const faults = async (): Promise<void> => {
      await settled.reaches(CHANGES * 0.25);
      await killed.kill();
      await settled.reaches(CHANGES * 0.45);
      await group.master.kill();
      await settled.reaches(CHANGES * 0.65);
      await killed.start();
    };
    await Promise.all([...writers, faults()]);

    const newest = await untilAgreed(nodes, Math.max(...tried.map(({ version }) => version)));
    const history = await readHistory(one);
    expect(history.length).toBe(newest);
    expectNoneLost(history, tried);
    expectEachIsItsParentAndItsChange(history, tried);
    expectConverged(
      await Promise.all(nodes.map((node) => node.runs(newest))),
      await Promise.all(nodes.map(async (node) => (await node.ask('/v1/config')).body)),
    );
    for (const node of nodes) {
      for (const path of PATHS) {
        const answer = await fetch(node.url + path);
        const text = answer.ok ? await answer.text() : String(answer.status);
        expect(text).toBe(answerBy(history.at(-1)!.document, path));
      }
    }
  },
);

/** Tries until it is accepted or refused, at one node after the other. */
async function insist(
  change: Change,
  name: string,
  nodes: readonly FleetNode[],
  random: () => number,
  tried: Tried[],
): Promise<void> {
  for (let number = 0; number < MOST_TRIES; number++) {
    const node = nodes[Math.floor(random() * nodes.length)]!;
    const outcome = await tryOnce(change, `change-${name}.${number}`, node);
    if (outcome !== undefined) tried.push(outcome);
    if (outcome !== undefined && outcome.outcome !== 'unknown') {
      const isFine = change.isValid || outcome.outcome === 'refused';
      if (!isFine) throw new Error(`${change.what} was accepted`);
      return;
    }
    await pause(PAUSE_MS);
  }
  throw new Error(`${change.what} was neither accepted nor refused`);
}

/** Undefined where it was never sent. */
async function tryOnce(change: Change, tag: string, node: FleetNode): Promise<Tried | undefined> {
  let asked: AskedFor | undefined;
  try {
    asked = await change.ask(node, tag);
  } catch (error) {
    if (isConnectionError(error)) return undefined;
    throw error;
  }
  if (asked === undefined) return undefined;
  const { path, question, toNext } = asked;
  try {
    const { status, headers, body } = await node.ask(path, question);
    const version = Number(headers.get('meshgate-version') ?? 0);
    if (status < 300) {
      const outcome = body['changed'] === false ? 'unchanged' : 'accepted';
      return { tag, toNext, outcome, status, version };
    }
    if (status >= 500) {
      expect(body).toMatchObject({ status: 503, code: expect.any(String) as string });
      return { tag, toNext, outcome: 'unknown', status, version: 0 };
    }
    expect([404, 409, 412, 422]).toContain(status);
    return { tag, toNext, outcome: 'refused', status, version: 0 };
  } catch (error) {
    if (!isConnectionError(error)) throw error;
    return { tag, toNext, outcome: 'unknown', status: 0, version: 0 };
  }
}

/** As fetch tells that a node is gone, or went. */
function isConnectionError(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'fetch failed';
}

/** Resolves to the version that all run, once that is as new as the newest that was accepted. */
async function untilAgreed(nodes: readonly FleetNode[], accepted: number): Promise<number> {
  return eventually(async () => {
    const reports = await Promise.all(nodes.map((node) => node.report()));
    const versions = new Set(reports.map(({ config_version: version }) => version));
    const [version = 0] = versions;
    return versions.size === 1 && version >= accepted ? version : undefined;
  });
}

interface Recorded {
  readonly version: number;
  readonly message: string;
  readonly document: SharedPart;
}

/** Oldest first. */
async function readHistory(node: FleetNode): Promise<readonly Recorded[]> {
  const { body } = await node.must('/v1/config/versions?page_size=200');
  const items = body['items'] as readonly { readonly version: number }[];
  const history: Recorded[] = [];
  for (const { version } of items.toReversed()) {
    const detail = await node.must(`/v1/config/versions/${version}`);
    history.push(detail.body as unknown as Recorded);
  }
  expect(history.map(({ version }) => version)).toEqual(history.map((_, i) => i + 1));
  return history;
}

function expectNoneLost(history: readonly Recorded[], tried: readonly Tried[]): void {
  const versionsOf = new Map<string, number[]>();
  for (const { message, version } of history) {
    versionsOf.set(message, [...(versionsOf.get(message) ?? []), version]);
  }
  for (const { tag, outcome, version } of tried) {
    const found = versionsOf.get(tag) ?? [];
    expect([tag, found]).toEqual([tag, toExpected(outcome, version, found)]);
  }
  const accepted = tried.filter(({ outcome }) => outcome === 'accepted');
  // Else nothing has been shown.
  expect(accepted.length).toBeGreaterThan(VALID / 2);
}

/** Which versions a try may have made, of those that say they are its. */
function toExpected(
  outcome: Tried['outcome'],
  version: number,
  found: readonly number[],
): readonly number[] {
  if (outcome === 'accepted') return [version];
  return outcome === 'unknown' ? found.slice(0, 1) : [];
}

function expectEachIsItsParentAndItsChange(
  history: readonly Recorded[],
  tried: readonly Tried[],
): void {
  const changes = new Map(tried.map(({ tag, toNext }) => [tag, toNext]));
  const versions = new Map<number, SharedPart>();
  for (const { version, message, document } of history) {
    const before = versions.get(version - 1);
    const expected = before === undefined ? FIRST : changes.get(message)!(before, versions);
    expect([version, message, document]).toEqual([version, message, expected]);
    versions.set(version, document);
  }
}

function expectConverged(
  reports: readonly { readonly config_shared_hash?: string }[],
  documents: readonly unknown[],
): void {
  const hashes = new Set(reports.map(({ config_shared_hash: hash }) => hash));
  expect([...hashes]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  for (const document of documents) expect(document).toEqual(documents[0]);
}

function createCounter() {
  let count = 0;
  const waiting = new Map<() => void, number>();
  return {
    add(): void {
      count++;
      for (const [resolve, wanted] of waiting) if (count >= wanted) resolve();
    },
    reaches: (wanted: number): Promise<void> =>
      new Promise((resolve) => {
        if (count >= wanted) resolve();
        else waiting.set(resolve, wanted);
      }),
  };
}
