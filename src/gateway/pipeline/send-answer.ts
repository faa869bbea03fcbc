/** Sends an answer that the gateway made itself, through the hooks that see every answer. */
import type { Answer } from '../../plugins/sdk/answer.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { runAnswerHooks, type PluginInstance } from './hooks.ts';

const NO_HOOKS: readonly PluginInstance[] = [];

/**
 * Sends `answer` unless the client has left or another answer is on its way. A hook of a failing
 * plugin must not take the answer away: `onFailure` hears of it and the answer goes as it is.
 */
export function sendAnswer(
  exchange: GatewayExchange,
  answer: Answer,
  onFailure: (exchange: GatewayExchange, error: unknown) => void,
): void {
  if (exchange.ended || exchange.headSent) return;
  const { response } = exchange;
  response.source = 'gateway';
  response.status = answer.status;
  response.headers.raw = answer.headers.slice();
  const hooks = (exchange.target ?? exchange.compiledRoute)?.hooks.onResponse ?? NO_HOOKS;
  let pending: void | Promise<void> = undefined;
  try {
    pending = runAnswerHooks(exchange, 'onResponse', hooks);
  } catch (error) {
    onFailure(exchange, error);
  }
  if (pending === undefined) send(exchange, answer.body);
  else {
    pending
      .catch((error: unknown) => onFailure(exchange, error))
      .finally(() => send(exchange, answer.body));
  }
}

function send(exchange: GatewayExchange, body: Answer['body']): void {
  if (exchange.ended || exchange.headSent) return;
  exchange.headSent = true;
  const { status, headers } = exchange.response;
  exchange.downstream.answer(status, headers.raw, body);
}
