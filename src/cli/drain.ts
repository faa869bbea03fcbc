/** `meshgate drain`: an endpoint, or all that a node registered, takes no new requests. */
import type { MeshEndpoint } from '../admin/views/mesh-services.ts';
import { ADMIN_USAGE, type AdminClient } from './admin-client.ts';
import { AdminFailure } from './admin-failure.ts';
import { misuse, printJson, withAdmin } from './admin-verb.ts';
import { chooseEndpoints, overridePath } from './endpoint-choice.ts';
import { toPrintable } from './table.ts';
import type { Verb, VerbIo, VerbOptions } from './verb.ts';
import { parseArguments } from './verb-arguments.ts';

const OPTIONS = {
  service: { type: 'string' },
  node: { type: 'boolean' },
  undo: { type: 'boolean' },
  json: { type: 'boolean' },
} as const satisfies VerbOptions;

export const drain: Verb = {
  name: 'drain',
  summary: 'Drain an endpoint, or every endpoint of a node; or take it into use again.',
  usage: `meshgate drain NODE|ENDPOINT [--service SERVICE | --node] [--undo] [--json]

  --service SERVICE  The endpoint of this service, where several have that id
  --node             The node, where an endpoint has that id too
  --undo             Take it into use again
  --json             Print the endpoints

A drained endpoint takes no new requests on any node; those in flight end as they would. It stands
until it is undone, through restarts too. Of a node, what it has registered now is drained.

${ADMIN_USAGE}
Exit code 0; 1: not done, or not for all; 2: misuse, or the name is not clear.

Examples:
  meshgate drain 10.0.0.7:3001
  meshgate drain orders-7
  meshgate drain orders-7 --undo`,
  options: OPTIONS,
  async run(argv, io) {
    const { values, positionals } = parseArguments(argv, OPTIONS);
    const [word] = positionals;
    if (word === undefined || positionals.length > 1) {
      return misuse(io, 'drain takes one node or endpoint', drain.usage);
    }
    const { service, node: isNode = false, undo = false, json = false } = values;
    if (service !== undefined && isNode) {
      return misuse(io, '--service is about an endpoint, --node about a node', drain.usage);
    }
    return withAdmin('drain', io, async (client) => {
      const { items } = await client.list<MeshEndpoint>('v1/mesh/endpoints');
      const choice = chooseEndpoints(items, word, { service, isNode });
      switch (choice.kind) {
        case 'none': {
          const where = service === undefined ? '' : ` of the service "${service}"`;
          const any = isNode ? 'node' : 'node or endpoint';
          const what = service === undefined ? any : 'endpoint';
          io.stderr.write(
            `meshgate drain: the mesh has no ${what} "${word}"${where}; "meshgate services" lists them\n`,
          );
          return 1;
        }
        case 'ambiguous':
          io.stderr.write(
            `meshgate drain: "${word}" may be one of several; say which:\n${choice.choices.map((line) => `  ${line}\n`).join('')}`,
          );
          return 2;
        case 'endpoint':
        case 'node':
          return drainAll(client, io, choice.endpoints, { drain: !undo, json });
        default:
          return choice satisfies never;
      }
    });
  },
};

/** One that cannot be is no reason to leave the others. */
async function drainAll(
  client: AdminClient,
  io: VerbIo,
  endpoints: readonly MeshEndpoint[],
  { drain, json }: { readonly drain: boolean; readonly json: boolean },
): Promise<number> {
  const done: MeshEndpoint[] = [];
  for (const { service, id } of endpoints) {
    const name = toPrintable(`${service} ${id}`);
    try {
      const answer = await client.put<MeshEndpoint>(overridePath({ service, id }, 'drain'), {
        drain,
      });
      done.push(answer);
      if (!json) io.stdout.write(`${name}: ${drain ? 'drained' : `in use (${answer.state})`}\n`);
    } catch (error) {
      if (!(error instanceof AdminFailure)) throw error;
      io.stderr.write(`meshgate drain: ${name}: ${error.message}\n`);
    }
  }
  if (json) printJson(io, done);
  return done.length === endpoints.length ? 0 : 1;
}
