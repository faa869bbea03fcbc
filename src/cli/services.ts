/** `meshgate services`: which services the mesh has, and how their endpoints are. */
import type { MeshEndpoint } from '../admin/views/mesh-services.ts';
import { ADMIN_USAGE, type AdminClient } from './admin-client.ts';
import { misuse, printJson, stalenessNote, withAdmin } from './admin-verb.ts';
import type { Tone } from './paint.ts';
import { printTable, type Column } from './table.ts';
import type { Verb, VerbIo, VerbOptions } from './verb.ts';
import { parseArguments } from './verb-arguments.ts';

const OPTIONS = { json: { type: 'boolean' } } as const satisfies VerbOptions;

export const services: Verb = {
  name: 'services',
  summary: 'List the services of the mesh and their endpoints.',
  usage: `meshgate services [SERVICE] [--json]

  --json  Print the services and all that is known of their endpoints

These are the services that are registered. Those with endpoints of their own in the configuration, or
found by DNS, are shown by "meshgate status".

${ADMIN_USAGE}
Exit code 0; 1: the admin API cannot be asked, or there is no such service; 2: misuse.

Examples:
  meshgate services
  meshgate services orders --json`,
  options: OPTIONS,
  async run(argv, io) {
    const { values, positionals } = parseArguments(argv, OPTIONS);
    if (positionals.length > 1) return misuse(io, 'services takes one service', services.usage);
    return withAdmin('services', io, (client) =>
      show(client, io, positionals[0], values.json === true),
    );
  },
};

const OTHERS = 'Services whose endpoints are not found in the mesh are shown by "meshgate status".';

interface Row {
  readonly service: string;
  /** Undefined: the service has none. */
  readonly endpoint: MeshEndpoint | undefined;
}

const STATE_TONES: Readonly<Record<MeshEndpoint['state'], Tone>> = {
  healthy: 'good',
  unhealthy: 'bad',
  ejected: 'bad',
  draining: 'warn',
  absent: 'faint',
};

const COLUMNS: readonly Column<Row>[] = [
  { title: 'SERVICE', of: ({ service }) => service },
  { title: 'ENDPOINT', of: ({ endpoint }) => endpoint?.id ?? '-' },
  { title: 'ADDRESS', of: ({ endpoint }) => endpoint?.address ?? '-' },
  { title: 'ZONE', of: ({ endpoint }) => endpoint?.zone ?? '-' },
  { title: 'NODE', of: ({ endpoint }) => endpoint?.node ?? '-' },
  {
    title: 'WEIGHT',
    of: ({ endpoint }) => (endpoint === undefined ? '-' : String(endpoint.weight)),
    align: 'right',
  },
  {
    title: 'STATE',
    of: ({ endpoint }) => endpoint?.state ?? '-',
    tone: ({ endpoint }) => endpoint && STATE_TONES[endpoint.state],
  },
  { title: 'NOTES', of: ({ endpoint }) => (endpoint === undefined ? '' : toNotes(endpoint)) },
];

async function show(
  client: AdminClient,
  io: VerbIo,
  wanted: string | undefined,
  asJson: boolean,
): Promise<number> {
  const [listed, endpoints] = await Promise.all([
    client.list<{ readonly name: string }>('v1/mesh/services'),
    client.list<MeshEndpoint>('v1/mesh/endpoints', wanted === undefined ? {} : { service: wanted }),
  ]);
  const names = listed.items.map(({ name }) => name);
  if (wanted !== undefined && !names.includes(wanted)) {
    const known = names.length === 0 ? 'it has none' : `it has: ${names.join(', ')}`;
    io.stderr.write(
      `meshgate services: the mesh has no service "${wanted}"; ${known}\n${OTHERS}\n`,
    );
    return 1;
  }
  const shown = names
    .filter((name) => wanted === undefined || name === wanted)
    .map((name) => ({
      name,
      endpoints: endpoints.items.filter(({ service }) => service === name),
    }));
  if (asJson) {
    printJson(io, shown);
    return 0;
  }
  if (shown.length === 0) {
    io.stdout.write(`the mesh has no services: no instance is registered\n${OTHERS}\n`);
    return 0;
  }
  const rows = shown.flatMap(({ name, endpoints }): Row[] =>
    endpoints.length === 0
      ? [{ service: name, endpoint: undefined }]
      : endpoints.map((endpoint) => ({ service: name, endpoint })),
  );
  printTable(io, COLUMNS, rows);
  const note = stalenessNote(endpoints.stalenessSeconds);
  if (note !== undefined) io.stderr.write(`${note}\n`);
  return 0;
}

/** What is out of the ordinary. */
function toNotes(endpoint: MeshEndpoint): string {
  const { operator_weight: weight, registered_weight: registered, factor } = endpoint;
  const notes: string[] = [];
  if (weight !== null) notes.push(`weight by operator, registered ${registered ?? 'none'}`);
  if (endpoint.operator_drain) notes.push('drained by operator');
  if (factor < 1) {
    notes.push(`gets ${Math.round(factor * 100)}% of it: ${endpoint.factor_reason ?? ''}`);
  }
  for (const { node, detail } of endpoint.failing) notes.push(`fails on ${node}: ${detail}`);
  if (endpoint.ejected_by.length > 0) notes.push(`put aside by ${endpoint.ejected_by.join(', ')}`);
  return notes.join('; ');
}
