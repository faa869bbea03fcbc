/** How a plugin is declared: its config's schema, its stage and its hooks. */
import type { Static, TSchema } from 'typebox';
import type { Answer, Problem } from './answer.ts';
import type { CredentialSource } from './credential.ts';
import type { Exchange, UpstreamTry } from './exchange.ts';
import type { PluginContext } from './plugin-context.ts';

/** Where `onRequest` stands on the request path; stages run in this order. */
export const STAGES = ['edge', 'authenticate', 'authorize', 'shape'] as const;
export type Stage = (typeof STAGES)[number];

/** Nothing lets the exchange go on; anything else ends it. */
export type HookResult = void | undefined | Answer | Problem;

/**
 * The hooks of one configured plugin. Each may return a promise, and costs one only then.
 * A hook that throws, rejects or overruns the deadline fails its own exchange alone.
 */
export interface PluginHooks {
  onRequest?(exchange: Exchange): HookResult | Promise<HookResult>;
  /** Before each try; change `attempt.headers` to change what is sent. */
  onUpstreamRequest?(exchange: Exchange, attempt: UpstreamTry): void | Promise<void>;
  /** When the upstream's head has arrived, before anything went to the client. */
  onUpstreamResponse?(exchange: Exchange): void | Promise<void>;
  /** Before any answer's head goes out, the upstream's or the gateway's own. */
  onResponse?(exchange: Exchange): void | Promise<void>;
  /** After the exchange has ended, however it ended. Fields added to `record` are logged. */
  onLog?(exchange: Exchange, record: Record<string, unknown>): void;
  /** Ends timers and sockets; called once no exchange uses this instance any more. */
  close?(): void | Promise<void>;
}

/** One wrong value found by `check`. */
export interface ConfigIssue {
  /** From the plugin's config: `''` for itself, or e.g. `allow[2]`. */
  readonly path: string;
  /** What is wrong, and the remedy. */
  readonly message: string;
}

/** A file that a plugin's config names, and that has to be there. */
export interface ConfigFile {
  /** Where the config names it, as in `ConfigIssue`. */
  readonly path: string;
  /** As `PluginContext.readFile` takes it: relative to the configuration file, or absolute. */
  readonly file: string;
  /** What is wrong with its content, as the end of a sentence that begins with its name. */
  readonly check?: (text: string) => string | undefined;
}

/** A consumer, or a group of consumers, that a plugin's config names. */
export interface ConfigReference {
  /** Where the config names it, as in `ConfigIssue`. */
  readonly path: string;
  readonly to: 'consumer' | 'group';
  readonly name: string;
}

export interface PluginDefinition<Config extends TSchema = TSchema> {
  /** `kebab-case`; the key in the configuration. */
  readonly name: string;
  /** The only source of the config's type, defaults, validation and documentation table. */
  readonly config: Config;
  readonly stage: Stage | ((config: Static<Config>) => Stage);
  /** What a hook's failure does to its exchange: `closed` (default) answers 500, `open` goes on. */
  readonly onError?: 'open' | 'closed';
  /** How long one hook may take, in milliseconds. Default 5000. */
  readonly deadlineMs?: number;
  /** Answers CORS preflights: an OPTIONS that no route takes reaches it by the method asked about. */
  readonly answersPreflight?: boolean;
  /** `buffer` collects the request body before `onRequest`, up to the body limit. */
  readonly body?: 'buffer';
  /** Wrong values that a schema cannot express; pure, and run by `meshgate check` too. */
  readonly check?: (config: Static<Config>) => readonly ConfigIssue[];
  /**
   * The files that are needed: without one, or with one that cannot be used, the configuration is
   * refused, by `meshgate check` too.
   */
  readonly files?: (config: Static<Config>) => readonly ConfigFile[];
  /**
   * Whom the config refers to among the `consumers` of the configuration: a consumer that is not
   * there refuses it, a group that nobody is in is a warning, by `meshgate check` too. Pure. Name
   * none that only the plugin itself knows.
   */
  readonly references?: (config: Static<Config>) => readonly ConfigReference[];
  /**
   * Where requests carry secrets that this plugin reads: never shown to who watches traffic. What is
   * usual (`Authorization`, cookies, names with `token`, `secret` and the like) is hidden without.
   */
  readonly credentials?: (config: Static<Config>) => readonly CredentialSource[];
  /**
   * A setting that has its meaning only where callers are known, with what becomes of it elsewhere:
   * a warning on routes without any plugin of the stage `authenticate`, by `meshgate check` too.
   */
  readonly needsCaller?: (config: Static<Config>) => ConfigIssue | undefined;
  /**
   * What `exchange.dryRun` leaves open, as `meshgate explain` puts it behind "lets it through",
   * e.g. `unless the quota is used up`.
   */
  readonly dryRunNote?: (config: Static<Config>) => string | undefined;
  readonly create: (config: Static<Config>, context: PluginContext) => PluginHooks;
}

/**
 * Declares a plugin.
 *
 * @example
 * export const requireTenant = definePlugin({
 *   name: 'require-tenant',
 *   config: Type.Object({ header: Type.String({ default: 'x-tenant' }) }),
 *   stage: 'authorize',
 *   create: (config) => ({
 *     onRequest(exchange) {
 *       if (!exchange.request.headers.has(config.header)) return problem(400, 'tenant_missing');
 *     },
 *   }),
 * });
 */
export function definePlugin<Config extends TSchema>(
  definition: PluginDefinition<Config>,
): PluginDefinition<Config> {
  return Object.freeze(definition);
}
