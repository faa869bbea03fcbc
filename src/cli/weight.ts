/** `meshgate weight`: sets an endpoint's share of the requests, for every node. */
import type { MeshEndpoint } from '../admin/views/mesh-services.ts';
import { ADMIN_USAGE } from './admin-client.ts';
import { misuse, printJson, withAdmin } from './admin-verb.ts';
import { overridePath } from './endpoint-choice.ts';
import { toPrintable } from './table.ts';
import type { Verb, VerbOptions } from './verb.ts';
import { parseArguments } from './verb-arguments.ts';

const OPTIONS = { json: { type: 'boolean' } } as const satisfies VerbOptions;

const MAX_WEIGHT = 1_000_000;

export const weight: Verb = {
  name: 'weight',
  summary: "Set an endpoint's weight on every node, or take it back.",
  usage: `meshgate weight SERVICE ENDPOINT N|reset [--json]

  N       0 to ${MAX_WEIGHT}, in proportion to the others'; 0: no requests
  reset   The registered weight again
  --json  Print the endpoint

It stands until it is taken back, through restarts of the endpoint too.

${ADMIN_USAGE}
Exit code 0; 1: not done; 2: misuse.

Examples:
  meshgate weight orders 10.0.0.7:3001 0.1
  meshgate weight orders 10.0.0.7:3001 reset`,
  options: OPTIONS,
  async run(argv, io) {
    // It would be taken for an option, and there is none of that name.
    const end = argv.indexOf('--');
    const words = end === -1 ? argv : argv.slice(0, end);
    const negative = words.find((word) => /^-[0-9.]/.test(word));
    if (negative !== undefined) {
      return misuse(io, `a weight is 0 or more: ${negative}`, weight.usage);
    }
    const { values, positionals } = parseArguments(argv, OPTIONS);
    const [service, endpoint, text] = positionals;
    if (service === undefined || endpoint === undefined || text === undefined) {
      return misuse(io, 'weight takes a service, an endpoint and a weight', weight.usage);
    }
    if (positionals.length > 3) return misuse(io, 'weight takes one endpoint', weight.usage);
    const wanted = text === 'reset' ? null : parseWeight(text);
    if (wanted === undefined) {
      return misuse(io, `not a weight from 0 to ${MAX_WEIGHT}, nor "reset": ${text}`, weight.usage);
    }
    return withAdmin('weight', io, async (client) => {
      const path = overridePath({ service, id: endpoint }, 'weight');
      const answer = await client.put<MeshEndpoint>(path, { weight: wanted });
      if (values.json === true) printJson(io, answer);
      else io.stdout.write(toText(answer));
      return 0;
    });
  },
};

function parseWeight(text: string): number | undefined {
  // Number() takes more: blanks, hexadecimals, Infinity.
  if (!/^[0-9]+(?:\.[0-9]+)?$/.test(text)) return undefined;
  const value = Number(text);
  return value <= MAX_WEIGHT ? value : undefined;
}

function toText({ service, id, weight, registered_weight, operator_weight }: MeshEndpoint): string {
  const by =
    operator_weight === null ? 'as registered' : `registered ${registered_weight ?? 'none'}`;
  return `${toPrintable(`${service} ${id}`)}: weight ${weight} (${by})\n`;
}
