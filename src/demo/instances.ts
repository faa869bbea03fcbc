/** The instances of the demo's services; `config/meshgate.yaml` has the same addresses. */

export interface DemoInstance {
  readonly service: 'users' | 'orders';
  readonly version: 'v1' | 'v2';
  /** Of the loopback interface. */
  readonly port: number;
}

export const DEMO_INSTANCES: readonly DemoInstance[] = [
  { service: 'orders', version: 'v1', port: 3001 },
  { service: 'orders', version: 'v1', port: 3002 },
  { service: 'orders', version: 'v2', port: 3003 },
  { service: 'users', version: 'v1', port: 3004 },
  { service: 'users', version: 'v1', port: 3005 },
];

/** How an instance calls itself in its answers. */
export function toInstanceName({ service, version, port }: DemoInstance): string {
  return `${service}-${version}:${port}`;
}
