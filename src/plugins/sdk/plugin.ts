/** `meshgate/plugin`: all that a plugin author imports. */
export { Type } from 'typebox';
export type { Static, TSchema } from 'typebox';
export { answer, Problem, problem } from './answer.ts';
export type { Answer, AnswerOptions, ProblemOptions } from './answer.ts';
export { claimMatches, readClaim } from './claim.ts';
export type { WantedClaim } from './claim.ts';
export { AMBIGUOUS, findCredential, removeCredential } from './credential.ts';
export type { CredentialSource } from './credential.ts';
export { definePlugin, STAGES } from './define-plugin.ts';
export type {
  ConfigFile,
  ConfigIssue,
  ConfigReference,
  HookResult,
  PluginDefinition,
  PluginHooks,
  Stage,
} from './define-plugin.ts';
export type {
  Consumer,
  ConsumerDirectory,
  Exchange,
  ExchangeRequest,
  ExchangeResponse,
  Peer,
  PeerTls,
  UpstreamTry,
} from './exchange.ts';
export { TOKEN_PATTERN } from './field-syntax.ts';
export { HeaderFields } from './header-fields.ts';
export { parseIpAddress } from './ip-address.ts';
export type { IpAddress } from './ip-address.ts';
export type {
  Clock,
  Counters,
  FetchJsonOptions,
  Limiter,
  LimiterOptions,
  LimitFallback,
  LimitVerdict,
  Log,
  PluginContext,
  PluginMetrics,
} from './plugin-context.ts';
export { byteSize, ByteSize, Duration, durationMs } from './quantity.ts';
export type { QuantityOptions } from './quantity.ts';
