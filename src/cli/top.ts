/** `meshgate top`: who calls whom in the mesh, how often, how well and how fast; live on a terminal. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { MeshEdge } from '../admin/views/mesh-topology.ts';
import { ADMIN_USAGE, type AdminClient } from './admin-client.ts';
import { AdminFailure } from './admin-failure.ts';
import { printJson, stalenessNote, withAdmin } from './admin-verb.ts';
import { printTable } from './table.ts';
import type { Terminal } from './terminal.ts';
import { EDGE_COLUMNS, inOrder, toScreen } from './top-screen.ts';
import type { Verb, VerbIo, VerbOptions } from './verb.ts';

const OPTIONS = {
  once: { type: 'boolean' },
  json: { type: 'boolean' },
} as const satisfies VerbOptions;

const REFRESH_MS = 2_000;

/** The screen beside the one with the scroll-back, and no cursor (xterm's DECSET 1049 and 25). */
const ENTER = '\u001B[?1049h\u001B[?25l';
const LEAVE = '\u001B[?25h\u001B[?1049l';
const HOME = '\u001B[H';
const CLEAR = '\u001B[2J';
const CLEAR_LINE = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';

export const top: Verb = {
  name: 'top',
  summary: 'Show who calls whom in the mesh, how often, how well and how fast.',
  usage: `meshgate top [--once] [--json]

  --once  Print one table and end; so it is where the output is no terminal
  --json  Print the edges as they are now, and end

On a terminal it is shown anew every ${REFRESH_MS / 1000} s; q or Ctrl-C leaves. ERRORS is the share of calls that ended
in a 5xx or without a whole answer; P50 and P99 are to the end of the answer, within 6.25%; NODES is
how many told of it. Nodes tell every 5 s.

${ADMIN_USAGE}
Exit code 0; 1: the admin API cannot be asked; 2: misuse.

Examples:
  meshgate top
  meshgate top --once | sort -k3 -n
  watch -n 5 meshgate top --once`,
  options: OPTIONS,
  async run(argv, io) {
    const { values } = parseArgs({ args: argv, options: OPTIONS });
    const { terminal } = io;
    return withAdmin('top', io, (client) =>
      values.json === true || values.once === true || terminal === undefined
        ? printOnce(client, io, values.json === true)
        : new LiveTop(client, io, terminal).run(),
    );
  },
};

async function printOnce(client: AdminClient, io: VerbIo, asJson: boolean): Promise<number> {
  const { items, stalenessSeconds } = await client.list<MeshEdge>('v1/mesh/topology');
  if (asJson) printJson(io, items);
  else printTable(io, EDGE_COLUMNS, inOrder(items));
  const note = stalenessNote(stalenessSeconds);
  if (note !== undefined) io.stderr.write(`${note}\n`);
  return 0;
}

class LiveTop {
  readonly #client: AdminClient;
  readonly #io: VerbIo;
  readonly #terminal: Terminal;
  readonly #left = new AbortController();
  #edges: readonly MeshEdge[] = [];
  #note: string | undefined;

  constructor(client: AdminClient, io: VerbIo, terminal: Terminal) {
    this.#client = client;
    this.#io = io;
    this.#terminal = terminal;
  }

  async run(): Promise<number> {
    // What fails at once is told where it can be read later.
    await this.#ask();
    const stopLeave = this.#terminal.onLeave(() => this.#left.abort());
    const stopResize = this.#terminal.onResize(() => this.#draw(CLEAR));
    this.#io.stdout.write(ENTER);
    try {
      this.#draw(CLEAR);
      while (await this.#waits()) {
        await this.#refresh();
        if (!this.#left.signal.aborted) this.#draw();
      }
    } finally {
      stopResize();
      stopLeave();
      this.#io.stdout.write(LEAVE);
    }
    return 0;
  }

  async #ask(): Promise<void> {
    const { signal } = this.#left;
    const listed = await this.#client.list<MeshEdge>('v1/mesh/topology', {}, signal);
    this.#edges = listed.items;
    this.#note = stalenessNote(listed.stalenessSeconds);
  }

  /** A node that restarts comes back: what was known stays on the screen meanwhile. */
  async #refresh(): Promise<void> {
    try {
      await this.#ask();
    } catch (error) {
      if (this.#left.signal.aborted) return;
      if (!(error instanceof AdminFailure) || error.isFinal) throw error;
      this.#note = error.message.split('\n', 1)[0]!;
    }
  }

  /** False once the user left. */
  async #waits(): Promise<boolean> {
    const { signal } = this.#left;
    try {
      await delay(REFRESH_MS, undefined, { signal });
      return true;
    } catch {
      return false;
    }
  }

  #draw(first = ''): void {
    const { columns, rows } = this.#terminal;
    const screen = toScreen({
      address: this.#client.address,
      edges: this.#edges,
      note: this.#note,
      columns,
      rows,
    });
    const lines = screen.join(`${CLEAR_LINE}\r\n`);
    this.#io.stdout.write(`${first}${HOME}${lines}${CLEAR_LINE}${CLEAR_BELOW}`);
  }
}
