import { expect, it } from 'vitest';
import type { GatewayExchange } from '../../../src/gateway/exchange/exchange.ts';
import {
  runAnswerHooks,
  runRequestHooks,
  type PluginInstance,
} from '../../../src/gateway/pipeline/hooks.ts';
import { beginEvent, endEvent, eventNowMs } from '../../../src/mesh/transport/event-time.ts';

const EXCHANGE = { narrator: undefined } as GatewayExchange;

function spend(): undefined {
  const until = performance.now() + 2;
  while (performance.now() < until);
}

const SLOW = {
  buffersBody: false,
  hooks: { onRequest: spend, onResponse: spend },
} as unknown as PluginInstance;

it.each<[string, () => unknown]>([
  ['onRequest', () => runRequestHooks(EXCHANGE, [SLOW])],
  ['onResponse', () => runAnswerHooks(EXCHANGE, 'onResponse', [SLOW])],
])('the time that %s takes is seen within the event that it is part of', (_name, run) => {
  beginEvent();
  const before = eventNowMs();
  run();
  expect(eventNowMs()).toBeGreaterThanOrEqual(before + 2);
  endEvent();
});
