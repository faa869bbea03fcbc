/** `meshgate sidecar`: runs a node proxy beside one application, without a configuration file. */
import { resolve } from 'node:path';
import { ConfigurationError } from '../gateway/config/configuration-error.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import type { CreateApp } from './app-port.ts';
import { announce, serve, SERVE_EXIT_CODES } from './serve.ts';
import { toFlagText, toSidecarDocument, type SidecarFlags } from './sidecar-document.ts';
import type { Verb, VerbOptions } from './verb.ts';
import { parseArguments } from './verb-arguments.ts';

const OPTIONS = {
  app: { type: 'string' },
  inbound: { type: 'string' },
  outbound: { type: 'string' },
  services: { type: 'string' },
  redis: { type: 'string' },
  namespace: { type: 'string' },
  protocol: { type: 'string', values: ['auto', 'http1', 'h2c'] },
  metadata: { type: 'string', multiple: true },
  zone: { type: 'string' },
  'health-path': { type: 'string' },
  id: { type: 'string' },
  advertise: { type: 'string' },
  trust: { type: 'string', multiple: true },
  status: { type: 'string' },
  admin: { type: 'string' },
  name: { type: 'string' },
  'data-dir': { type: 'string', values: 'file' },
} as const satisfies VerbOptions;

export function createSidecar(createApp: CreateApp, log: Log): Verb {
  const verb: Verb = {
    name: 'sidecar',
    summary: 'Run a node proxy beside an application: others reach it, and it reaches others.',
    usage: `meshgate sidecar SERVICE --app HOST:PORT [options]

  --app HOST:PORT        Where the application listens
  --inbound ADDRESS      Where others call it (default: 0.0.0.0:4143)
  --outbound ADDRESS     Where it calls others, as http://<service>.mesh/ (default: 127.0.0.1:4140)
  --services A,B         It may call only these, which are found before the first call
  --redis URL            The mesh's Redis (default: $MESHGATE_REDIS; with neither, the mesh is this node)
  --namespace NAME       Of the mesh in that Redis (default: meshgate)
  --protocol P           What it speaks: auto (HTTP/2 for gRPC, else HTTP/1.1), http1 or h2c
  --metadata K=V         What others may choose by; several times
  --zone ZONE            Where this node is
  --health-path PATH     It is well when GET PATH answers 2xx (default: when it takes connections)
  --id ID                Of this instance, the same after a restart (default: its address)
  --name NODE            Of this node, the same after a restart (default: SERVICE-ID with --id, else random)
  --advertise HOST:PORT  What others connect to (default: found by the way to Redis)
  --trust NETWORK        Whose X-Forwarded-* are believed, such as the gateways'; several times
  --status ADDRESS       Probes and metrics (default: 127.0.0.1:8007)
  --admin ADDRESS        The admin API (default: 127.0.0.1:0, any port; the start prints it)
  --data-dir DIR         State (default: ./.meshgate)

Short for a file with \`register\` and \`outbound\`, which can say more: see docs/mesh.md.
${SERVE_EXIT_CODES}

Examples:
  meshgate sidecar orders --app 127.0.0.1:3001 --redis redis://10.0.0.5:6379
  meshgate sidecar orders --app 127.0.0.1:3001 --metadata version=v2 --health-path /healthz
  http_proxy=http://127.0.0.1:4140 curl http://orders.mesh/`,
    options: OPTIONS,
    async run(argv, io) {
      const { values, positionals } = parseArguments(argv, OPTIONS);
      const [service, ...rest] = positionals;
      const misuse = (text: string): number => {
        io.stderr.write(`meshgate sidecar: ${text}\n\n${verb.usage}\n`);
        return 2;
      };
      if (service === undefined || rest.length > 0) return misuse('it takes one SERVICE');
      if (values.app === undefined) return misuse('--app HOST:PORT is needed');
      const odd = values.metadata?.find((pair) => pair.indexOf('=') < 1);
      if (odd !== undefined) return misuse(`--metadata: not "key=value": ${odd}`);
      const flags: SidecarFlags = { ...values, service, app: values.app };
      return serve({
        io,
        log,
        async begin(parts) {
          parts.app = await createApp({
            // What relative paths are relative to; there is no such file.
            configFile: resolve(io.cwd, 'sidecar'),
            document: toSidecarDocument(flags, io.env),
            env: io.env,
            log,
          });
          announce(await parts.app.start(), parts.app, io);
        },
        onFailed(error) {
          if (!(error instanceof ConfigurationError)) return undefined;
          const lines = error.issues.map((issue) => `meshgate sidecar: ${toFlagText(issue)}`);
          return { text: lines.join('\n'), code: 2 };
        },
      });
    },
  };
  return verb;
}
