/** `meshgate/client`: a Node.js application in the mesh, without a proxy beside it. */
import type { MeshOptions } from './mesh-options.ts';
import type { Mesh } from './mesh.ts';
import { OwnMesh } from './own-mesh.ts';
import { parseOptions } from './parse-options.ts';

export { MeshgateError, type ErrorCode } from '../errors.ts';
export { MeshClientError, type MeshClientErrorCode } from './client-error.ts';
export type {
  BalancerSettings,
  CircuitBreakerSettings,
  HedgeSettings,
  HealthCheckSettings,
  MeshOptions,
  NodeOptions,
  OutlierSettings,
  RedisOptions,
  RegisterOptions,
  RetrySettings,
  ServiceSettings,
  TimeoutSettings,
  TlsOptions,
} from './mesh-options.ts';
export type { CloseOptions, Mesh, MeshClientDispatcher, MeshStatus, ReadyOptions } from './mesh.ts';
export type { DrainOptions, InstanceState, RegisteredInstance } from './registered-instance.ts';

/**
 * Joins the mesh that shares a Redis. Connects in the background, keeps at it, and serves from
 * what it knows while Redis is away; `ready()` waits for it.
 *
 * @throws {MeshClientError} `invalid_option`, with the name of the field.
 * @example
 * import { createMesh } from 'meshgate/client';
 *
 * const mesh = createMesh({ redis: 'redis://127.0.0.1:6379' });
 * const response = await fetch('http://orders.mesh/orders/7', { dispatcher: mesh.dispatcher });
 * console.log(await response.json());
 * await mesh.close();
 */
export function createMesh(options: MeshOptions): Mesh {
  const mesh = new OwnMesh(parseOptions(options));
  mesh.start();
  return mesh;
}
