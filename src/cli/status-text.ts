/** `meshgate status` for people. */
import type { VerbIo } from './verb.ts';
import { createPaint, type Tone } from './paint.ts';
import type { Fleet } from './status.ts';
import { printServices } from './service-lines.ts';
import { printTable, toPrintable, type Column } from './table.ts';
import { toVersionText } from './config-versions.ts';

type Row = Fleet['nodes'][number];

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NODE', of: ({ name }) => name },
  { title: 'VERSION', of: ({ version }) => version ?? '-' },
  { title: 'ZONE', of: ({ zone }) => zone ?? '-' },
  { title: 'SINCE', of: ({ started_at: at }) => at ?? '-' },
  { title: 'CONFIGURATION', of: toConfigurationText, tone: toConfigurationTone },
];

export function printStatus(
  io: VerbIo,
  { node, configuration, nodes, endpoints }: Fleet,
  problems: readonly string[],
): void {
  const { stdout, stderr, env } = io;
  const paint = createPaint(stdout, env);
  const tell = (title: string, tone: Tone | undefined, text: string): void => {
    stdout.write(`${paint('head', title.padEnd(14))} ${paint(tone, toPrintable(text))}\n`);
  };
  const { state, version, started_at: since, workers } = node;
  const isReady = state === 'ready';
  tell('node', isReady ? 'good' : 'warn', `${node.node}, ${state}`);
  tell('version', undefined, `${version}, since ${since}`);
  if (workers !== null) tell('workers', isWhole(workers) ? 'good' : 'warn', toWorkersText(workers));
  tell('configuration', undefined, toOwnerText(configuration));
  const { revision, last_reload: reload } = node.configuration;
  if (reload !== null) {
    const { successful, at, errors } = reload;
    const what = successful ? 'applied' : 'refused';
    tell('last reload', successful ? 'good' : 'bad', `${what} at ${at}, revision ${revision} runs`);
    for (const error of errors) tell('', undefined, error);
  }
  const { kind, connected, reason, staleness_seconds: seconds } = node.backplane;
  const why = reason === null ? '' : `: ${reason}`;
  const link = connected ? 'connected' : `not heard of for ${Math.ceil(seconds)} s${why}`;
  tell('backplane', connected ? 'good' : 'bad', `${kind}, ${link}`);
  tell('endpoints', undefined, toEndpointText(endpoints));
  stdout.write('\n');
  printServices(io, node.services);
  printTable(io, COLUMNS, nodes);
  const bad = createPaint(stderr, env);
  for (const problem of problems) {
    stderr.write(`${bad('bad', 'not well:')} ${toPrintable(problem)}\n`);
  }
}

type Workers = NonNullable<Fleet['node']['workers']>;

function isWhole({ wanted, ready }: Workers): boolean {
  return ready === wanted;
}

function toWorkersText({ wanted, ready, restarts }: Workers): string {
  const replaced = restarts === 0 ? '' : `, ${restarts} replaced since the start`;
  return `${ready} of ${wanted} ready${replaced}`;
}

function toOwnerText({ owner, newest }: Fleet['configuration']): string {
  if (owner === 'file') return 'of the file of the node';
  return newest === null ? 'shared by all nodes, no version yet' : toVersionText(newest);
}

function toEndpointText({ total = 0, ...states }: Fleet['endpoints']): string {
  const some = Object.entries(states).filter(([, count]) => count > 0);
  const text = some.map(([state, count]) => `${count} ${state}`).join(', ');
  return text === '' ? `${total} in the mesh` : `${total} in the mesh: ${text}`;
}

function toConfigurationText({ config, configuration }: Row): string {
  if (configuration === null) {
    if (config === 'file') return 'its own file';
    return config === 'none' ? 'none: it has no MESHGATE_CONFIG_KEY' : '-';
  }
  const { state, version, reason = '' } = configuration;
  const [first] = reason.split('\n', 1);
  if (state === 'applied') return `version ${version}`;
  return state === 'refused'
    ? `refused, runs version ${version}: ${first}`
    : `version ${version}, pending`;
}

function toConfigurationTone({ configuration }: Row): Tone | undefined {
  const TONES = { applied: 'good', refused: 'bad', pending: 'warn' } as const;
  return configuration === null ? undefined : TONES[configuration.state];
}
