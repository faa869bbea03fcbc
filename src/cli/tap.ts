/** `meshgate tap`: finished requests as they happen, a line each. */
import { parseArgs } from 'node:util';
import { ADMIN_USAGE, type AdminClient, type Query } from './admin-client.ts';
import { AdminFailure } from './admin-failure.ts';
import { misuse, withAdmin } from './admin-verb.ts';
import type { ServerEvent } from './event-stream.ts';
import { createPaint } from './paint.ts';
import { toDroppedText, toEndReason, toTapLine } from './tap-line.ts';
import type { Verb, VerbIo, VerbOptions } from './verb.ts';

/** By the names that the API has for them. */
const FILTERS = {
  route: { type: 'string' },
  service: { type: 'string' },
  consumer: { type: 'string' },
  status: { type: 'string' },
  method: { type: 'string' },
  path: { type: 'string' },
  sample: { type: 'string' },
  rate: { type: 'string' },
  limit: { type: 'string' },
} as const satisfies VerbOptions;

const OPTIONS = {
  ...FILTERS,
  'query-values': { type: 'boolean' },
  node: { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies VerbOptions;

export const tap: Verb = {
  name: 'tap',
  summary: 'Show requests as they happen.',
  usage: `meshgate tap [--route R] [--service S] [--consumer C] [--status S] [--method M] [--path PREFIX]
             [--sample SHARE] [--rate N] [--limit N] [--query-values] [--node NODE] [--json]

  --route R       Of this route alone; so with --service and --consumer
  --service S
  --consumer C
  --status S      Answered so: 404, 5xx, or several with commas between them
  --method M      Such as POST
  --path PREFIX   Whose path begins so
  --sample SHARE  Of those, this share, 0 to 1
  --rate N        No more than N a second (default: 100)
  --limit N       End after N of them
  --query-values  With the values in the query, but for those that look like secrets
  --node NODE     Those of another node, which the one that is asked passes on
  --json          A line of JSON each: the fields of the access log, and the headers without secrets

Shown are the requests of one node, once they have ended. It never slows them: what this terminal
or the network is too slow for is left out, and counted. On a terminal q or Ctrl-C leaves.

${ADMIN_USAGE}
Exit code 0; 1: the admin API cannot be asked, or the node ended it; 2: misuse.

Examples:
  meshgate tap
  meshgate tap --service orders --status 5xx
  meshgate tap --path /checkout --json --limit 100 | jq .duration_ms`,
  options: OPTIONS,
  async run(argv, io) {
    const { values } = parseArgs({ args: argv, options: OPTIONS });
    const { node, json = false, 'query-values': withValues = false, ...filters } = values;
    const { limit } = filters;
    if (limit !== undefined && !/^[1-9][0-9]{0,8}$/.test(limit)) {
      return misuse(io, `not a number of requests: ${limit}`, tap.usage);
    }
    const given = Object.entries(filters).filter(
      (filter): filter is [string, string] => filter[1] !== undefined,
    );
    const query = {
      ...Object.fromEntries(given),
      ...(withValues && { query_values: 'true' }),
    };
    const path = node === undefined ? 'v1/tap' : `v1/nodes/${encodeURIComponent(node)}/tap`;
    return withAdmin('tap', io, (client) => follow(client, io, { path, query, asJson: json }));
  },
};

interface Following {
  readonly path: string;
  readonly query: Query;
  readonly asJson: boolean;
}

async function follow(client: AdminClient, io: VerbIo, following: Following): Promise<number> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  const { readerLeft, terminal, stderr } = io;
  readerLeft?.addEventListener('abort', leave);
  let stopListening: (() => void) | undefined;
  try {
    const events = await client.events(following.path, following.query, left.signal);
    // What fails at once leaves the terminal alone.
    stopListening = terminal?.onLeave(leave);
    if (terminal !== undefined) stderr.write(`requests as they happen (q leaves)\n`);
    const end = await showAll(events, io, following);
    if (end === 'limit' || left.signal.aborted) return 0;
    throw new AdminFailure(END_TEXTS[end] ?? `the connection to ${client.address} ended`, {
      isFinal: false,
    });
  } catch (error) {
    if (left.signal.aborted) return 0;
    if (error instanceof AdminFailure) throw error;
    throw new AdminFailure(`the connection to ${client.address} broke: ${reasonOf(error)}`, {
      isFinal: false,
    });
  } finally {
    stopListening?.();
    readerLeft?.removeEventListener('abort', leave);
  }
}

/** As the node tells them. */
const END_TEXTS: Readonly<Record<string, string>> = {
  not_allowed: 'the token does not hold any more',
  stopping: 'the node stops',
};

/** Resolves to why the node ended it; empty: it did not say. */
async function showAll(
  events: AsyncIterable<ServerEvent>,
  io: VerbIo,
  { query, asJson }: Following,
): Promise<string> {
  const { stdout, stderr, env } = io;
  const paint = createPaint(stdout, env);
  let open = Number(query['limit'] ?? Infinity);
  for await (const { event, data } of events) {
    if (event === 'end') return toEndReason(data);
    if (event === 'dropped') stderr.write(`${toDroppedText(data)}\n`);
    if (event !== 'exchange') continue;
    stdout.write(`${asJson ? data.replaceAll('\n', ' ') : toTapLine(data, paint)}\n`);
    if (--open === 0) return 'limit';
  }
  return '';
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
  return cause?.code ?? cause?.message ?? message;
}
