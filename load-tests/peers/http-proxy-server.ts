/** The server of the peer `http-proxy`: `PORT UPSTREAM_PORT [CERTIFICATE_FILE]`, as its README shows it. */
import { readFileSync } from 'node:fs';
import httpProxy from '@fastify/http-proxy';
import fastify, { type FastifyInstance } from 'fastify';

const [port, upstreamPort, certificateFile] = process.argv.slice(2);

const server = createServer();
await server.register(httpProxy, {
  upstream: `http://127.0.0.1:${upstreamPort}`,
  undici: { connections: 64 },
});
await server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });

function createServer(): FastifyInstance {
  if (certificateFile === undefined) return fastify();
  const pem = readFileSync(certificateFile);
  return fastify({ https: { cert: pem, key: pem, minVersion: 'TLSv1.3' } });
}
