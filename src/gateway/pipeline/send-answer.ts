/** Sends an answer that the gateway made itself, through the hooks that see every answer. */
import type { Answer } from '../../plugins/sdk/answer.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { tellTiming } from '../observe/server-timing.ts';
import { reasonOf } from '../rescue/rescue.ts';
import { runAnswerHooks, type PluginInstance } from './hooks.ts';

const NO_HOOKS: readonly PluginInstance[] = [];

export interface AnswerEnvironment {
  readonly monotonic: () => number;
  /** A plugin failed on the answer, which goes out as it is. */
  readonly onHookFailed: (exchange: GatewayExchange, error: unknown) => void;
}

/**
 * Sends `answer` unless the client has left or another answer is on its way. A hook of a failing
 * plugin must not take the answer away: `onHookFailed` hears of it and the answer goes as it is.
 */
export function sendAnswer(
  exchange: GatewayExchange,
  answer: Answer,
  environment: AnswerEnvironment,
): void {
  if (exchange.ended || exchange.headSent) return;
  const { response } = exchange;
  response.source = 'gateway';
  response.status = answer.status;
  response.headers.raw = answer.headers.slice();
  if (!response.headers.has('x-request-id')) {
    response.headers.raw.push('X-Request-Id', exchange.id);
  }
  const hooks = (exchange.target ?? exchange.compiledRoute)?.hooks.onResponse ?? NO_HOOKS;
  let pending: void | Promise<void> = undefined;
  try {
    pending = runAnswerHooks(exchange, 'onResponse', hooks);
  } catch (error) {
    environment.onHookFailed(exchange, error);
  }
  if (pending === undefined) send(exchange, answer.body, environment);
  else {
    pending
      .catch((error: unknown) => environment.onHookFailed(exchange, error))
      .finally(() => send(exchange, answer.body, environment));
  }
}

function send(
  exchange: GatewayExchange,
  body: Answer['body'],
  { monotonic }: AnswerEnvironment,
): void {
  if (exchange.ended || exchange.headSent) return;
  exchange.headSent = true;
  try {
    tellTiming(exchange, monotonic);
    const { status, headers } = exchange.response;
    exchange.downstream.answer(status, headers.raw, body);
  } catch (error) {
    breakOff(exchange, error);
  }
}

/**
 * A plugin has broken what even a refusal needs. The lane must not be thrown at, which would end
 * the process; and without an end the client would wait for ever.
 */
export function breakOff(exchange: GatewayExchange, cause: unknown): void {
  exchange.outcome.code = 'internal';
  exchange.outcome.reason = reasonOf(cause);
  exchange.downstream.abort();
}
