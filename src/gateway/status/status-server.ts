/** Probes and metrics, on a door of their own that needs no rights. */
import type { Readable } from 'node:stream';
import fastify, { type FastifyInstance } from 'fastify';
import type { Readiness } from './readiness.ts';

/** Such as a registry of prom-client. */
export interface MetricsPage {
  readonly contentType: string;
  /** All metrics as they are by now; fails where one of them cannot be read. */
  metrics(): Promise<string | Readable>;
}

export interface StatusServer {
  /** Rejects where the address is taken. */
  start(): Promise<{ readonly port: number }>;
  stop(): Promise<void>;
}

/** `GET /livez`, `/readyz` (503 while not ready, always with its reasons) and `/metrics`. */
export function createStatusServer(
  address: { readonly host: string; readonly port: number },
  readiness: Readiness,
  page: MetricsPage,
): StatusServer {
  const app: FastifyInstance = fastify({ forceCloseConnections: true });
  app.get('/livez', () => ({ status: 'alive' }));
  app.get('/readyz', (_request, reply) => {
    const report = readiness.report();
    return reply.code(report.status === 'ready' ? 200 : 503).send(report);
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(page.contentType).send(await page.metrics()),
  );
  return {
    async start() {
      // A copy: Fastify writes into what it is given.
      await app.listen({ ...address });
      // Where one cannot be accepted, the next may be: unheard, it would end the process.
      app.server.on('error', () => undefined);
      const bound = app.server.address();
      return { port: typeof bound === 'object' && bound !== null ? bound.port : address.port };
    },
    stop: () => app.close(),
  };
}
