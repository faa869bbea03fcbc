/** A change of the shared configuration by a verb: shown, asked about, written, and waited for. */
import { durationMs } from '../plugins/sdk/quantity.ts';
import type { ConfigChange } from '../gateway/config/comparison.ts';
import type { AdminClient } from './admin-client.ts';
import { AdminFailure } from './admin-failure.ts';
import { misuse, printJson } from './admin-verb.ts';
import { printChanges, toCountText } from './change-lines.ts';
import { toVersionText, VERSIONS, type Head, type Version } from './config-versions.ts';
import { createPaint } from './paint.ts';
import { runs, toNodeText, waitForNodes, type Rollout } from './rollout-wait.ts';
import { toPrintable } from './table.ts';
import { parseArguments } from './verb-arguments.ts';
import type { VerbIo, VerbOptions } from './verb.ts';

export const CHANGE_OPTIONS = {
  yes: { type: 'boolean', short: 'y' },
  message: { type: 'string', short: 'm' },
  wait: { type: 'boolean' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies VerbOptions;

export const CHANGE_USAGE = `  --yes, -y          Do not ask; needed where there is no terminal to ask on
  --message, -m TEXT  Why; kept with the version
  --wait             Until every node runs it, or one refuses it
  --timeout DURATION  As long as --wait waits at most, such as 2m; default 1m
  --json             Print { version, changed, changes } and, with --wait, nodes`;

const DEFAULT_TIMEOUT = '1m';

export interface ChangeSettings {
  readonly isApproved: boolean;
  readonly message: string | undefined;
  /** Undefined: nobody waits. */
  readonly waitMs: number | undefined;
  readonly asJson: boolean;
}

export interface ChangeArguments {
  /** The one that the verb takes. */
  readonly word: string;
  readonly settings: ChangeSettings;
}

/** Or the exit code of a misuse, which is told. */
export function parseChange(
  argv: readonly string[],
  io: VerbIo,
  { takes, usage }: { readonly takes: string; readonly usage: string },
): ChangeArguments | 2 {
  const { values, positionals } = parseArguments(argv, CHANGE_OPTIONS);
  const [word] = positionals;
  if (word === undefined || positionals.length > 1) return misuse(io, takes, usage);
  const settings = parseSettings(values, io, usage);
  return settings === 2 ? settings : { word, settings };
}

function parseSettings(
  values: {
    readonly yes?: boolean | undefined;
    readonly message?: string | undefined;
    readonly wait?: boolean | undefined;
    readonly timeout?: string | undefined;
    readonly json?: boolean | undefined;
  },
  io: VerbIo,
  usage: string,
): ChangeSettings | 2 {
  const { yes = false, message, wait = false, timeout, json = false } = values;
  if (timeout !== undefined && !wait) return misuse(io, '--timeout is about --wait', usage);
  const waitMs = parseDuration(timeout ?? DEFAULT_TIMEOUT);
  if (waitMs === undefined)
    return misuse(io, `not a duration such as 30s or 2m: ${timeout}`, usage);
  if (!yes && io.ask === undefined) {
    // Nothing is wrong with how it was called: the usage would only hide the reason.
    io.stderr.write('there is no terminal to ask on: say --yes, or look with diff first\n');
    return 2;
  }
  return { isApproved: yes, message, waitMs: wait ? waitMs : undefined, asJson: json };
}

function parseDuration(text: string): number | undefined {
  try {
    return durationMs(text);
  } catch {
    return undefined;
  }
}

export interface Written {
  readonly version: Version;
  readonly changed: boolean;
}

export interface ProposedChange {
  readonly verb: string;
  /** What it was compared with. */
  readonly head: Head;
  readonly changes: readonly ConfigChange[];
  readonly question: string;
  /** Only if `head` still is the newest: else it rejects with a failure of status 412. */
  readonly write: () => Promise<Written>;
}

/** Resolves to the exit code. */
export async function carryOut(
  client: AdminClient,
  io: VerbIo,
  change: ProposedChange,
  { isApproved, waitMs, asJson }: ChangeSettings,
): Promise<number> {
  const { verb, head, changes, question } = change;
  const people = asJson ? io.stderr : io.stdout;
  let version = head.version;
  let changed = false;
  if (changes.length === 0) {
    const what =
      version === 0
        ? 'there is no version, and none is needed'
        : `version ${version} says it already`;
    if (!asJson) io.stdout.write(`nothing to change: ${what}\n`);
  } else {
    if (!asJson || !isApproved) printChanges(people, io.env, changes);
    if (!isApproved && !(await isAgreed(io, question))) {
      io.stderr.write('nothing was changed\n');
      return 1;
    }
    const written = await writeOnce(client, io, change);
    if (written === undefined) return 1;
    version = written.version.version;
    ({ changed } = written);
    if (!asJson) io.stdout.write(`version ${version}: ${toCountText(changes)}\n`);
  }
  const rollout =
    waitMs === undefined || version === 0
      ? undefined
      : await waitForNodes(client, io, version, waitMs);
  if (asJson)
    printJson(io, { version, changed, changes, ...(rollout && { nodes: rollout.nodes }) });
  return rollout === undefined
    ? 0
    : tellRollout(io, rollout, { verb, version, waitMs, head, asJson });
}

async function isAgreed({ ask }: VerbIo, question: string): Promise<boolean> {
  const answer = await ask!(`${question} [y/N] `);
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}

/** Undefined where others were faster; who they are is told. */
async function writeOnce(
  client: AdminClient,
  { stderr }: VerbIo,
  { verb, head, write }: ProposedChange,
): Promise<Written | undefined> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof AdminFailure)) throw error;
    if (error.status === undefined) {
      const hint = 'Whether it was written is not known: "meshgate history" tells.';
      throw new AdminFailure(`${error.message}\n${hint}`, { isFinal: false });
    }
    if (error.status !== 412) throw error;
    const { items } = await client.list<Version>(VERSIONS);
    const others = items.filter(({ version }) => version > head.version);
    stderr.write(
      `meshgate ${verb}: it was changed meanwhile; nothing was written. Run it again to see what it would change now.\n${others.map((one) => `  ${toPrintable(toVersionText(one))}\n`).join('')}`,
    );
    return undefined;
  }
}

function tellRollout(
  io: VerbIo,
  { outcome, nodes, failure }: Rollout,
  told: {
    readonly verb: string;
    readonly version: number;
    readonly waitMs: number | undefined;
    readonly head: Head;
    readonly asJson: boolean;
  },
): number {
  const { verb, version, waitMs = 0, head, asJson } = told;
  const count = nodes.length === 1 ? '1 node' : `${nodes.length} nodes`;
  const newer = nodes.filter(({ version: running }) => running > version);
  if (outcome === 'done') {
    const note = newer.length === 0 ? '' : `, ${newer.length} of them a newer one already`;
    if (!asJson) io.stdout.write(`version ${version} runs on ${count}${note}\n`);
    return 0;
  }
  const paint = createPaint(io.stderr, io.env);
  const open = nodes.filter((node) => !runs(node, version));
  const lines = open.map((node) => `  ${toNodeText(node, version, paint)}\n`);
  if (outcome === 'refused') {
    // Who runs none refuses the one before as well.
    const isBackHelp = open.some(
      ({ state, version: running }) => state === 'refused' && running > 0,
    );
    const isBack = isBackHelp && head.version > 0 && head.version < version;
    const back = isBack ? head.version : undefined;
    io.stderr.write(
      `meshgate ${verb}: version ${version} was refused:\n${lines.join('')}${back === undefined ? '' : `The way back: meshgate rollback ${back}\n`}`,
    );
    return 1;
  }
  const why = failure === undefined ? '' : ` (${failure})`;
  const runsOn = `${nodes.length - open.length} of ${count}`;
  io.stderr.write(
    `meshgate ${verb}: after ${waitMs / 1000} s version ${version} runs on ${runsOn}${why}\n${lines.join('')}`,
  );
  return 1;
}
