/** `meshgate explain`: what would become of a request, and why; nothing is sent upstream. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigurationError } from '../gateway/config/configuration-error.ts';
import type { Explanation } from '../gateway/explain/explain.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import type { CreateApp } from './app-port.ts';
import { configFileOf } from './config-file.ts';
import type { Verb } from './verb.ts';

export function createExplain(createApp: CreateApp, log: Log): Verb {
  return {
    name: 'explain',
    summary: 'Show which route wins, why the others lose, and what each plugin would answer.',
    usage: `meshgate explain METHOD URL [-H 'name: value']... [-d BODY] [--config FILE] [--json]

  -H, --header   A header field; may be given several times
  -d, --data     The request body
  --config FILE  Configuration (default: $MESHGATE_CONFIG, else meshgate.yaml)
  --json         Print the explanation as JSON

Exit code 0 where the request would be forwarded or answered below 400, else 1.

Examples:
  meshgate explain GET https://api.example.com/orders/1
  meshgate explain POST http://localhost:8000/orders -H 'content-type: application/json' -d '{}'`,
    async run(argv, io) {
      const { values, positionals } = parseArgs({
        args: argv,
        allowPositionals: true,
        options: {
          config: { type: 'string' },
          header: { type: 'string', short: 'H', multiple: true },
          data: { type: 'string', short: 'd' },
          json: { type: 'boolean' },
        },
      });
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
          log,
        });
        const explanation = await app.explain({
          method: method.toUpperCase(),
          url,
          headers: (headers as [string, string][]).flat(),
          body: values.data === undefined ? undefined : Buffer.from(values.data),
        });
        await app.stop();
        io.stdout.write(
          values.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : toText(explanation),
        );
        return explanation.answer === undefined || explanation.answer.status < 400 ? 0 : 1;
      } catch (error) {
        io.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        return error instanceof ConfigurationError ? 1 : 2;
      }
    },
  };
}

function parseHeader(line: string): [name: string, value: string] | undefined {
  const colon = line.indexOf(':');
  return colon < 1 ? undefined : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

function toText({ listener, routes, plugins, forward, answer }: Explanation): string {
  const lines = [`listener  ${listener}`, ''];
  for (const { route, match, won, reason } of routes) {
    lines.push(`${won ? 'route   *' : '         '} ${route} (match ${match}): ${reason}`);
  }
  if (routes.length === 0) lines.push('route     none is configured on this listener');
  lines.push('');
  for (const { plugin, stage, answer: verdict, failure } of plugins) {
    const says =
      failure !== undefined
        ? `fails: ${failure}`
        : verdict === undefined
          ? 'lets it through'
          : `answers ${verdict.status} ${verdict.code ?? ''} ${verdict.detail ?? ''}`.trimEnd();
    lines.push(`plugin    ${plugin} (${stage}): ${says}`);
  }
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
