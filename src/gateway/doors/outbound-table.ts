/** What the outbound door does with a request: the host name says which service of the mesh it is for. */
import { MeshgateError } from '../../errors.ts';
import type { CompiledRoute } from '../config/snapshot.ts';
import type { MatchNarrator } from '../routing/narration.ts';
import type { Routable, RouteMatch } from '../routing/route-spec.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { isMeshHost, type OnDemandServices } from './on-demand-services.ts';

export class OutboundTable implements RouteTable<CompiledRoute> {
  readonly #byHost: ReadonlyMap<string, RouteMatch<CompiledRoute>>;
  readonly #others: Pick<OnDemandServices, 'find'> | undefined;

  /** `byHost`: in lower case, such as `orders.mesh`. `others` undefined: no service but those. */
  constructor(
    byHost: ReadonlyMap<string, RouteMatch<CompiledRoute>>,
    others: Pick<OnDemandServices, 'find'> | undefined,
  ) {
    this.#byHost = byHost;
    this.#others = others;
  }

  match({ host }: Routable, narrator?: MatchNarrator): RouteMatch<CompiledRoute> {
    const match = this.#byHost.get(host) ?? this.#others?.find(host);
    if (match === undefined) throw this.#refusal(host);
    narrator?.won(match.route, 0, `${host} names a service of the mesh`);
    return match;
  }

  #refusal(host: string): MeshgateError {
    const detail = isMeshHost(host)
      ? `${JSON.stringify(host)} is not among the services that outbound.services of this node allows; add it there to call it.`
      : `This is the outbound door of a mesh, which leads to its services as http://<service>.mesh/ and nowhere else; ${JSON.stringify(host)} is none of them. Call other hosts directly (no_proxy).`;
    return new MeshgateError('no_route', { status: 404, detail });
  }
}
