/** What an inbound door does with a request: everything goes to the local application. */
import type { CompiledRoute } from '../config/snapshot.ts';
import type { MatchNarrator } from '../routing/narration.ts';
import type { Routable, RouteMatch } from '../routing/route-spec.ts';
import type { RouteTable } from '../routing/route-table.ts';

export class InboundTable implements RouteTable<CompiledRoute> {
  readonly #match: RouteMatch<CompiledRoute>;

  constructor(match: RouteMatch<CompiledRoute>) {
    this.#match = match;
  }

  match(_request: Routable, narrator?: MatchNarrator): RouteMatch<CompiledRoute> {
    narrator?.won(this.#match.route, 0, 'an inbound door has one application');
    return this.#match;
  }
}
