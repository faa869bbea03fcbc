/** The admin API's OpenAPI document, of a server that is built as ever and never started. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdminServer } from '../src/admin/admin-server.ts';
import type { DeskStore } from '../src/admin/configuration-desk.ts';
import type { OpenApiDocument } from '../src/admin/openapi/openapi-document.ts';
import { createEmbeddedBackplane } from '../src/mesh/backplane/embedded/embedded-backplane.ts';
import { createRegistry } from '../src/mesh/registry/registry.ts';
import type { Log } from '../src/plugins/sdk/plugin-context.ts';
import { standardPlugins } from '../src/plugins/standard.ts';

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

export function toOpenApi(): OpenApiDocument {
  const clock = { now: Date.now, monotonic: (): number => performance.now() };
  const dataDir = join(tmpdir(), 'meshgate-never-started');
  const backplane = createEmbeddedBackplane({ directory: dataDir, clock, log: SILENT });
  const never = (): never => {
    throw new Error('the server was not to be asked');
  };
  const store: DeskStore = {
    isKnown: never,
    start: never,
    close: never,
    head: never,
    stalenessMs: never,
    onHead: never,
    newest: never,
    list: never,
    read: never,
    write: never,
    pin: never,
  };
  const server = createAdminServer({
    address: { host: '127.0.0.1', port: 0 },
    registry: createRegistry(backplane),
    backplane,
    dataDir,
    tap: { subscribe: never },
    clock,
    log: SILENT,
    status: never,
    configuration: {
      store,
      check: never,
      fileDocument: never,
      catalogue: standardPlugins,
      rollout: never,
      certificateInForce: never,
      explain: never,
    },
  });
  return server.openApi();
}
