/** Runs the hooks of an exchange's plugins: in order, guarded, and without a promise where none is returned. */
import type { Answer, Problem } from '../../plugins/sdk/answer.ts';
import type { HookResult, PluginHooks, Stage } from '../../plugins/sdk/define-plugin.ts';
import type { UpstreamTry } from '../../plugins/sdk/exchange.ts';
import { timePasses } from '../../mesh/transport/event-time.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { bufferBody, needsBuffering } from './buffer-body.ts';
import { assertAnswer } from './hook-answer.ts';
import { withDeadline } from './hook-deadline.ts';
import { pluginFailed } from './plugin-failed.ts';

/** One configured plugin, created. */
export interface PluginInstance {
  readonly name: string;
  readonly stage: Stage;
  readonly onError: 'open' | 'closed';
  readonly deadlineMs: number;
  readonly buffersBody: boolean;
  readonly answersPreflight: boolean;
  /** What a dry run leaves open. */
  readonly dryRunNote?: string | undefined;
  readonly hooks: PluginHooks;
  /** After `hooks.close`: gives back what its context has handed out. */
  release(): void;
}

/** The hooks of a route, each list in the order it runs; bound when the snapshot is compiled. */
export interface HookChain {
  /** Sorted by stage, then by place in the configuration. */
  readonly onRequest: readonly PluginInstance[];
  readonly onUpstreamRequest: readonly PluginInstance[];
  readonly onUpstreamResponse: readonly PluginInstance[];
  readonly onResponse: readonly PluginInstance[];
  readonly onLog: readonly PluginInstance[];
  readonly answersPreflight: boolean;
}

type Refusal = Answer | Problem;
type AnswerHook = 'onUpstreamResponse' | 'onResponse';

/** Runs `onRequest` from the `from`th on, until one answers; undefined lets the exchange go on. */
export function runRequestHooks(
  exchange: GatewayExchange,
  instances: readonly PluginInstance[],
  from = 0,
): HookResult | Promise<HookResult> {
  for (let i = from; i < instances.length; i++) {
    const instance = instances[i]!;
    if (instance.buffersBody && needsBuffering(exchange)) {
      return bufferBody(exchange).then(() => runRequestHooks(exchange, instances, i));
    }
    let result: HookResult | Promise<HookResult>;
    try {
      result = instance.hooks.onRequest!(exchange);
      if (result !== undefined && !(result instanceof Promise)) assertAnswer(result);
    } catch (error) {
      failed(exchange, instance, 'onRequest', error);
      continue;
    }
    if (result instanceof Promise) return resumeAfter(exchange, instances, i, result);
    exchange.narrator?.plugin(instance, result);
    // Explain hears every plugin out, whatever an earlier one would answer.
    if (result !== undefined && exchange.narrator === undefined) return result;
    timePasses();
  }
  return undefined;
}

async function resumeAfter(
  exchange: GatewayExchange,
  instances: readonly PluginInstance[],
  index: number,
  pending: Promise<HookResult>,
): Promise<HookResult> {
  const instance = instances[index]!;
  let refusal: Refusal | undefined;
  try {
    refusal = (await withDeadline(pending, instance.deadlineMs)) as Refusal | undefined;
    if (refusal !== undefined) assertAnswer(refusal);
  } catch (error) {
    refusal = undefined;
    failed(exchange, instance, 'onRequest', error);
  }
  exchange.narrator?.plugin(instance, refusal);
  if (refusal !== undefined && exchange.narrator === undefined) return refusal;
  return runRequestHooks(exchange, instances, index + 1);
}

/** Runs the hooks that see an answer's head; a promise only where a hook returned one. */
export function runAnswerHooks(
  exchange: GatewayExchange,
  hook: AnswerHook,
  instances: readonly PluginInstance[],
): void | Promise<void> {
  return runAll(exchange, hook, undefined, instances, 0);
}

/** Runs `onUpstreamRequest` for one try; a promise only where a hook returned one. */
export function runTryHooks(
  exchange: GatewayExchange,
  attempt: UpstreamTry,
  instances: readonly PluginInstance[],
): void | Promise<void> {
  return runAll(exchange, 'onUpstreamRequest', attempt, instances, 0);
}

/** Hooks that answer nothing, from the `from`th on; `attempt` is there where `onUpstreamRequest` is. */
function runAll(
  exchange: GatewayExchange,
  hook: AnswerHook | 'onUpstreamRequest',
  attempt: UpstreamTry | undefined,
  instances: readonly PluginInstance[],
  from: number,
): void | Promise<void> {
  for (let i = from; i < instances.length; i++) {
    const instance = instances[i]!;
    const { hooks } = instance;
    try {
      const pending =
        hook === 'onUpstreamRequest'
          ? hooks.onUpstreamRequest!(exchange, attempt!)
          : hooks[hook]!(exchange);
      if (pending instanceof Promise) {
        return guarded(exchange, instance, hook, pending).then(() =>
          runAll(exchange, hook, attempt, instances, i + 1),
        );
      }
    } catch (error) {
      failed(exchange, instance, hook, error);
    }
    timePasses();
  }
}

/** Runs `onLog`; a failure here is counted by the caller's `onFailure` and changes nothing. */
export function runLogHooks(
  exchange: GatewayExchange,
  record: Record<string, unknown>,
  instances: readonly PluginInstance[],
  onFailure: (plugin: string, error: unknown) => void,
): void {
  for (const instance of instances) {
    try {
      instance.hooks.onLog!(exchange, record);
    } catch (error) {
      onFailure(instance.name, error);
    }
  }
}

async function guarded(
  exchange: GatewayExchange,
  instance: PluginInstance,
  hook: string,
  pending: Promise<void>,
): Promise<void> {
  try {
    await withDeadline(pending, instance.deadlineMs);
  } catch (error) {
    failed(exchange, instance, hook, error);
  }
}

/** By the plugin's declaration, lets the exchange go on (`open`) or ends it (`closed`). */
function failed(
  exchange: GatewayExchange,
  instance: PluginInstance,
  hook: string,
  error: unknown,
): void {
  const message = error instanceof Error ? error.message : String(error);
  if (exchange.narrator !== undefined) {
    exchange.narrator.plugin(instance, undefined, new Error(message));
    return;
  }
  exchange.outcome.reason = `plugin ${instance.name} failed in ${hook}: ${message}`;
  if (instance.onError === 'open') return;
  throw pluginFailed(error);
}
