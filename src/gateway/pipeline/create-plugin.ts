/** Configured plugin → instance with its context, ready for the chains. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Counter, type Registry } from 'prom-client';
import type { HeldCounters, HeldLimiter } from '../../mesh/limits/held-limiter.ts';
import type { PluginHooks } from '../../plugins/sdk/define-plugin.ts';
import type { Clock, Log, PluginContext, PluginMetrics } from '../../plugins/sdk/plugin-context.ts';
import type { PluginEntry } from '../config/config.ts';
import type { PluginCatalogue } from '../config/plugin-catalogue.ts';
import type { JsonFetcher } from './fetch-json.ts';
import type { PluginInstance } from './hooks.ts';

/** What all plugins of the process share. */
export interface PluginEnvironment {
  readonly catalogue: PluginCatalogue;
  readonly log: Log;
  readonly registry: Registry;
  readonly counters: HeldCounters;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fetchJson: JsonFetcher['fetchJson'];
  /** Relative paths of a plugin's files start here. */
  readonly configDir: string;
}

const DEFAULT_DEADLINE_MS = 5000;

/** Throws what the plugin's `create` throws. `scope`: the route it stands on. */
export function createPlugin(
  entry: PluginEntry,
  scope: string | undefined,
  environment: PluginEnvironment,
): PluginInstance {
  // A checked configuration names only plugins of the catalogue.
  const definition = environment.catalogue.get(entry.name)!;
  const { stage } = definition;
  const limiters: HeldLimiter[] = [];
  const release = (): void => {
    for (const limiter of limiters) limiter.release();
  };
  const context = toContext(definition.name, scope, environment, limiters);
  let hooks: PluginHooks;
  try {
    hooks = definition.create(entry.config, context);
  } catch (error) {
    release();
    throw error;
  }
  return {
    name: definition.name,
    stage: typeof stage === 'function' ? stage(entry.config) : stage,
    onError: definition.onError ?? 'closed',
    deadlineMs: definition.deadlineMs ?? DEFAULT_DEADLINE_MS,
    buffersBody: definition.body === 'buffer',
    answersPreflight: definition.answersPreflight === true,
    dryRunNote: definition.dryRunNote?.(entry.config),
    hooks,
    release,
  };
}

function toContext(
  plugin: string,
  route: string | undefined,
  { log, registry, counters, clock, random, fetchJson, configDir }: PluginEnvironment,
  limiters: HeldLimiter[],
): PluginContext {
  return {
    log: named(log, plugin, route),
    metrics: pluginMetrics(plugin, registry),
    counters: {
      limiter(options) {
        const limiter = counters.limiter(options);
        limiters.push(limiter);
        return limiter;
      },
    },
    clock,
    random,
    fetchJson,
    readFile: (path) => readFile(resolve(configDir, path), 'utf8'),
    route,
  };
}

/** Every line of a plugin tells which one it is, and where it stands. */
function named(log: Log, plugin: string, route: string | undefined): Log {
  const at = { plugin, route };
  return {
    debug: (fields, message) => log.debug({ ...at, ...fields }, message),
    info: (fields, message) => log.info({ ...at, ...fields }, message),
    warn: (fields, message) => log.warn({ ...at, ...fields }, message),
    error: (fields, message) => log.error({ ...at, ...fields }, message),
  };
}

function pluginMetrics(plugin: string, registry: Registry): PluginMetrics {
  return {
    counter(name, help, labels = []) {
      const full = `meshgate_plugin_${plugin}_${name}`.replaceAll('-', '_');
      // Instances of one plugin share their metrics.
      const known = registry.getSingleMetric(full) as Counter | undefined;
      const counter =
        known ?? new Counter({ name: full, help, labelNames: [...labels], registers: [registry] });
      return {
        inc: (values, by = 1) => counter.inc({ ...values } as Record<string, string>, by),
      };
    },
  };
}
