/** The route behind a mesh door: any request, to one service, as it is. */
import type { Service } from '../../mesh/service/service.ts';
import { compileRoute } from '../config/compile-route.ts';
import type { ServiceConfig } from '../config/service-config.ts';
import type { CompiledRoute } from '../config/snapshot.ts';
import type { RouteCells } from '../observe/request-metrics.ts';
import type { RouteMatch } from '../routing/route-spec.ts';

/**
 * No plugins, which are for routes; no time limit but the service's own; and an encoded slash
 * means what the application takes it for.
 */
export function createDoorRoute(
  name: string,
  service: Service,
  { balancer }: ServiceConfig,
  cells: RouteCells,
): RouteMatch<CompiledRoute> {
  const value = compileRoute(
    {
      name,
      priority: 0,
      listeners: [],
      matches: [],
      targets: [
        {
          kind: 'service',
          service: service.name,
          weight: 1,
          where: {},
          rewrite: undefined,
          plugins: [],
        },
      ],
      rewrite: undefined,
      timeoutMs: 0,
      retry: undefined,
      mirrors: [],
      plugins: [],
      allowEncodedSlash: true,
    },
    {
      service: () => service,
      balancer: () => balancer,
      plugin: () => {
        throw new Error('a mesh door has no plugins');
      },
      cellsOf: () => cells,
      everywhere: [],
      chains: new Map(),
    },
  );
  return { value, prefix: '/', namesMethod: false, regex: undefined, route: name, index: 0 };
}
