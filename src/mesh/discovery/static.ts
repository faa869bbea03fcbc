/** Static discovery: the endpoints that the configuration lists. */
import { toEndpointId, type EndpointSpec } from '../endpoint.ts';
import type { EndpointSource } from './endpoint-source.ts';

export interface StaticEndpoint {
  readonly host: string;
  readonly port: number;
  /** Default 1. */
  readonly weight?: number | undefined;
  /** A `zone` in it is the endpoint's zone. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

function toSpec({ host, port, weight = 1, metadata = {} }: StaticEndpoint): EndpointSpec {
  const zone = metadata['zone'];
  return {
    id: toEndpointId(host, port),
    host,
    port,
    weight,
    metadata,
    ...(zone === undefined ? {} : { zone }),
  };
}

/** Yields the list once, at once. */
export function createStaticSource(endpoints: readonly StaticEndpoint[]): EndpointSource {
  const specs = endpoints.map(toSpec);
  return {
    start: (listener) => listener(specs),
    stop: () => {},
  };
}
