/** `meshgate/fastify`: mounts a service of the mesh in a Fastify application, by @fastify/http-proxy. */
export { meshgateProxy, type MeshgateProxyOptions } from './meshgate-proxy.ts';
export { sendProblem } from './problem.ts';
