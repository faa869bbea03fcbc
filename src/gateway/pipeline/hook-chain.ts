/** Sorts configured plugins into the lists the request path walks. */
import { STAGES } from '../../plugins/sdk/define-plugin.ts';
import type { HookChain, PluginInstance } from './hooks.ts';

/** `instances` in the order of the configuration: those of every route, the route's, the target's. */
export function createHookChain(instances: readonly PluginInstance[]): HookChain {
  return {
    onRequest: requestHooks(instances),
    onUpstreamRequest: instances.filter(({ hooks }) => hooks.onUpstreamRequest !== undefined),
    onUpstreamResponse: instances.filter(({ hooks }) => hooks.onUpstreamResponse !== undefined),
    onResponse: instances.filter(({ hooks }) => hooks.onResponse !== undefined),
    onLog: instances.filter(({ hooks }) => hooks.onLog !== undefined),
    answersPreflight: instances.some(({ answersPreflight }) => answersPreflight),
  };
}

/** By stage, and within a stage in the order given (the sort is stable). */
export function requestHooks(instances: readonly PluginInstance[]): readonly PluginInstance[] {
  return instances
    .filter(({ hooks }) => hooks.onRequest !== undefined)
    .sort((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage));
}
