/** `meshgate explain`: what would become of a request, and why; nothing is sent upstream. */
import { resolve } from 'node:path';
import { reasonOf } from '../mesh/backplane/backplane-error.ts';
import { ConfigurationError } from '../gateway/config/configuration-error.ts';
import type { Explanation } from '../gateway/explain/explain.ts';
import type { RouteVerdict } from '../gateway/explain/narration.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import { printJson } from './admin-verb.ts';
import type { CreateApp } from './app-port.ts';
import { configFileOf } from './config-file.ts';
import type { Verb, VerbOptions } from './verb.ts';
import { parseArguments } from './verb-arguments.ts';

const OPTIONS = {
  config: { type: 'string', values: 'file' },
  header: { type: 'string', short: 'H', multiple: true },
  data: { type: 'string', short: 'd' },
  all: { type: 'boolean' },
  json: { type: 'boolean' },
} as const satisfies VerbOptions;

/** Whoever asks reads the explanation, and not between lines of a log. */
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Candidates that lost; a file may have thousands, and most of them nobody would have expected to win. */
const MAX_LOST = 20;

export function createExplain(createApp: CreateApp): Verb {
  return {
    name: 'explain',
    summary: 'Show which route wins, why the others lose, and what each plugin would answer.',
    usage: `meshgate explain METHOD URL [-H 'name: value']... [-d BODY] [--config FILE] [--all] [--json]

  -H, --header   A header field; may be given several times
  -d, --data     The request body
  --config FILE  Configuration (default: $MESHGATE_CONFIG, else meshgate.yaml)
  --all          Show every route that lost, and not only the ${MAX_LOST} that came closest
  --json         Print the explanation as JSON, with all of them

Without routes and services in the file it goes by the version that the node ran last, as its data
directory has it. With Redis that needs the key of the nodes: $MESHGATE_CONFIG_KEY, or the name of its
file in $MESHGATE_CONFIG_KEY_FILE.

What requests use up is neither looked into on the nodes nor spent: a limit is said to let the
request through unless it is used up. Exit code 0 where the request would be forwarded or answered
below 400, else 1.

Examples:
  meshgate explain GET https://api.example.com/orders/1
  meshgate explain POST http://localhost:8000/orders -H 'content-type: application/json' -d '{}'`,
    options: OPTIONS,
    takes: METHODS,
    async run(argv, io) {
      const { values, positionals } = parseArguments(argv, OPTIONS);
      const [method, address] = positionals;
      const url = address === undefined ? null : URL.parse(address);
      if (method === undefined || url === null || positionals.length > 2) {
        io.stderr.write(`meshgate explain: METHOD and an absolute URL are needed\n`);
        return 2;
      }
      const headers = (values.header ?? []).map(parseHeader);
      const wrong = headers.findIndex((header) => header === undefined);
      if (wrong !== -1) {
        io.stderr.write(`meshgate explain: not "name: value": ${values.header![wrong]}\n`);
        return 2;
      }
      try {
        const app = await createApp({
          configFile: resolve(io.cwd, configFileOf(values.config, io)),
          env: io.env,
          log: SILENT,
        });
        const explanation = await app.explain({
          method: method.toUpperCase(),
          url,
          headers: (headers as [string, string][]).flat(),
          body: values.data === undefined ? undefined : Buffer.from(values.data),
        });
        await app.stop();
        if (values.json === true) printJson(io, explanation);
        else io.stdout.write(toText(explanation, values.all === true ? Infinity : MAX_LOST));
        return explanation.answer === undefined || explanation.answer.status < 400 ? 0 : 1;
      } catch (error) {
        io.stderr.write(`${reasonOf(error)}\n`);
        return error instanceof ConfigurationError ? 1 : 2;
      }
    },
  };
}

function parseHeader(line: string): [name: string, value: string] | undefined {
  const colon = line.indexOf(':');
  return colon < 1 ? undefined : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

/** The winner, and as many of the others as came closest, in their order. */
function closest(routes: readonly RouteVerdict[], maxLost: number): readonly RouteVerdict[] {
  const lost = routes.filter(({ won }) => !won);
  if (lost.length <= maxLost) return routes;
  const byCloseness = lost.toSorted((a, b) => (b.closeness ?? 0) - (a.closeness ?? 0));
  const shown = new Set(byCloseness.slice(0, maxLost));
  return routes.filter((route) => route.won || shown.has(route));
}

/** E.g. `weight 90 of 100`. */
function toTargetLines(targets: Explanation['targets']): string[] {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  return targets.map(({ target, weight, won }) => {
    const drawn = won ? ', drawn by lot this time' : '';
    return `${won ? 'target  *' : '         '} ${target}: weight ${weight} of ${total}${drawn}`;
  });
}

function toText(explanation: Explanation, maxLost: number): string {
  const { listener, routes, plugins, targets, forward, answer } = explanation;
  const lines = [`listener  ${listener}`, ''];
  const shown = closest(routes, maxLost);
  for (const { route, match, won, reason } of shown) {
    lines.push(`${won ? 'route   *' : '         '} ${route} (match ${match}): ${reason}`);
  }
  if (shown.length < routes.length) {
    lines.push(`          and ${routes.length - shown.length} more that lost; --all shows them`);
  }
  if (routes.length === 0) lines.push('route     none is configured on this listener');
  lines.push('');
  for (const { plugin, stage, answer: verdict, note, failure } of plugins) {
    const says =
      failure !== undefined
        ? `fails: ${failure}`
        : verdict === undefined
          ? `lets it through${note === undefined ? '' : ` ${note}`}`
          : `answers ${verdict.status} ${verdict.code ?? ''} ${verdict.detail ?? ''}`.trimEnd();
    lines.push(`plugin    ${plugin} (${stage}): ${says}`);
  }
  if (targets.length > 0) lines.push('', ...toTargetLines(targets));
  if (forward !== undefined) {
    lines.push('', `service   ${forward.service}`);
    lines.push(`upstream  ${forward.target} (Host: ${forward.authority})`);
    lines.push(`endpoint  ${forward.endpoint ?? 'none'}: ${forward.reason}`);
    for (const { endpoint, verdict } of forward.endpoints)
      lines.push(`          ${endpoint}: ${verdict}`);
  }
  lines.push('');
  lines.push(
    answer === undefined
      ? 'result    forwarded'
      : `result    ${answer.status} ${answer.code} ${answer.reason}`.trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}
