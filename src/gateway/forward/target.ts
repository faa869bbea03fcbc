/** Chooses where a routed exchange goes, and answers for the targets that need no upstream. */
import { MeshgateError } from '../../errors.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { PathStage, StageResult } from '../exchange/stage.ts';
import { toRedirect } from './redirect.ts';

/** One of the route's targets by weighted lot; 503 where every weight is 0. */
export function chooseTarget(random: () => number): PathStage {
  return (exchange: GatewayExchange): StageResult => {
    const { soleTarget, targets } = exchange.compiledRoute!;
    const target = soleTarget ?? targets?.choose(random);
    if (target === undefined) {
      throw new MeshgateError('no_healthy_endpoint', {
        status: 503,
        detail: 'Every target of the route has the weight 0.',
      });
    }
    exchange.target = target;
  };
}

/** Redirects and direct answers end here. */
export function answerLocally(exchange: GatewayExchange): StageResult {
  const target = exchange.target!;
  if (target.kind === 'redirect') {
    return toRedirect(exchange, target.redirect, exchange.matchedPrefix);
  }
  return target.kind === 'respond' ? target.answer : undefined;
}
