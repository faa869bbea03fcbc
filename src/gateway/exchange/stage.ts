/** What a stage of the request path is. */
import type { Answer, Problem } from '../../plugins/sdk/answer.ts';
import type { GatewayExchange } from './exchange.ts';

/** Nothing: go on. An answer or a problem: the exchange ends with it. */
export type StageResult = void | undefined | Answer | Problem;

export type PathStage = (exchange: GatewayExchange) => StageResult | Promise<StageResult>;
