/** Services that no file declares: those that are called by name through the outbound door, and local applications. */
import type { RegistrationConfig } from './mesh-config.ts';
import type { Draft } from './normalise/draft.ts';
import { toService } from './normalise/service.ts';
import { createSchemaValidator } from './schema-validator.ts';
import { ServiceSchema, type RawService } from './schema/service.ts';
import type { ServiceConfig } from './service-config.ts';

export interface UndeclaredServices {
  /** As `services.<name>: { discover: { mesh: <name> } }` would have it. */
  discovered(name: string): ServiceConfig;
  /** The application behind an inbound door. */
  local(registration: RegistrationConfig): ServiceConfig;
}

/** As many as the door takes connections: each may be a WebSocket or a stream, for hours. */
const MAX_LOCAL = 10_000;

export function createUndeclaredServices(): UndeclaredServices {
  return {
    discovered: (name) => ({
      ...defaultsOfService(),
      name,
      discover: { kind: 'mesh', service: name },
    }),

    /**
     * The one who judges is the caller, who knows of other instances: here nothing is put aside,
     * no answer is waited for longer than the caller waits, and only a call that the application
     * has not seen a byte of is tried again.
     */
    local({ service, application, protocol }) {
      const { circuitBreaker, retry, timeouts, ...others } = defaultsOfService();
      return {
        ...others,
        name: service,
        isLocal: true,
        endpoints: [{ ...application, weight: 1, metadata: {} }],
        discover: undefined,
        protocol,
        outlierDetection: undefined,
        adaptiveWeights: false,
        circuitBreaker: { ...circuitBreaker, maxConnections: MAX_LOCAL, maxRequests: MAX_LOCAL },
        retry: { ...retry, attempts: 1, on: ['connect-failure', 'refused-stream'] },
        timeouts: { ...timeouts, responseMs: 0, idleMs: 0 },
      };
    },
  };
}

/** A node without mesh doors need not compile the schema. */
let defaults: ServiceConfig | undefined;

/** The schema's own. */
function defaultsOfService(): ServiceConfig {
  return (defaults ??= createDefaults());
}

function createDefaults(): ServiceConfig {
  const raw = { discover: { mesh: 'any' } };
  createSchemaValidator(ServiceSchema, {})(raw);
  const draft: Draft = {
    report: (_path, message) => {
      throw new Error(`the defaults of a service break a rule: ${message}`);
    },
    directory: '/',
    catalogue: new Map(),
    services: new Set(),
    listeners: new Set(),
    callers: undefined,
    writtenAddresses: new Set(),
    hasCertificates: true,
    httpsPort: 0,
    pemReferences: [],
    pluginFiles: [],
    traces: { reports: 0, services: [], callers: [] },
  };
  return toService(draft, 'any', raw as unknown as RawService, []);
}
