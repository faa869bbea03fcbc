/** `services.<name>` among the options → how the service is called. */
import { isHashing } from '../mesh/balancing/policies.ts';
import { createRetryRules, type RetryCondition } from '../mesh/resilience/retry-policy.ts';
import {
  CHECK_DEFAULTS,
  HEDGE_DEFAULTS,
  SERVICE_DEFAULTS,
} from '../mesh/service/service-defaults.ts';
import type { ServiceOptions } from '../mesh/service/service-options.ts';
import { TOKEN } from '../plugins/sdk/field-syntax.ts';
import type { OptionFields } from './option-fields.ts';
import { parseCheck } from './parse-check.ts';
import { parseOutliers } from './parse-outliers.ts';
import { parseTls } from './parse-tls.ts';

/** All that is not of the process itself. */
export interface ParsedService extends Omit<ServiceOptions, 'name' | 'source'> {
  /** Name of the header field that a hashing policy goes by, in lower case. */
  readonly hashHeader: string | undefined;
}

export const SERVICE_FIELDS = [
  'protocol',
  'tls',
  'balancer',
  'retry',
  'hedge',
  'timeouts',
  'circuitBreaker',
  'outlierDetection',
  'healthCheck',
];

const POLICIES = [
  'round-robin',
  'random',
  'least-request',
  'peak-ewma',
  'ring-hash',
  'maglev',
] as const;
const FAILURES = ['connect-failure', 'refused-stream', 'reset', 'timeout', '5xx'] as const;
const THRESHOLD = { min: 1, max: 1_000_000, whole: true };

export function parseService(fields: OptionFields): ParsedService {
  const protocol =
    fields.oneOf('protocol', ['http1', 'h2c', 'https', 'h2']) ?? SERVICE_DEFAULTS.protocol;
  const isTls = protocol === 'https' || protocol === 'h2';
  if (fields.has('tls') && !isTls) fields.fail('tls', `means nothing to the protocol ${protocol}`);
  const tls = parseTls(fields, 'tls') ?? (isTls ? { verify: true } : undefined);
  const reach = { protocol, ...(tls !== undefined && { tls }) };
  return {
    protocol,
    tls,
    ...parseBalancer(fields),
    ...parseRetry(fields),
    hedge: parseHedge(fields),
    stickyKey: undefined,
    timeouts: parseTimeouts(fields),
    circuitBreaker: parseBreaker(fields),
    health: {
      checks: parseCheck(fields, reach, CHECK_DEFAULTS),
      outliers: parseOutliers(fields),
    },
  };
}

function parseBalancer(parent: OptionFields): Pick<ParsedService, 'balancing' | 'hashHeader'> {
  const known = ['policy', 'hashOn', 'hashBalanceFactor', 'slowStart', 'zoneAware'];
  const fields = parent.fields('balancer', known);
  const policy = fields?.oneOf('policy', POLICIES) ?? SERVICE_DEFAULTS.policy;
  const hashing = isHashing(policy);
  // What a policy would pass over in silence is an error.
  for (const name of hashing ? ['slowStart'] : ['hashOn', 'hashBalanceFactor']) {
    if (fields?.has(name)) fields.fail(name, `means nothing to the policy ${policy}`);
  }
  const zoneAware = fields?.flag('zoneAware');
  if (hashing && zoneAware === true) {
    fields!.fail('zoneAware', `means nothing to the policy ${policy}`);
  }
  const slow = fields?.fields('slowStart', ['windowMs', 'aggression']);
  const { windowMs, aggression } = SERVICE_DEFAULTS.slowStart;
  return {
    balancing: {
      policy,
      hashBalanceFactor: fields?.number('hashBalanceFactor', { min: 1, max: 1000 }),
      slowStart: slow && {
        windowMs: slow.milliseconds('windowMs', 1) ?? windowMs,
        aggression: slow.number('aggression', { min: 0.01, max: 100 }) ?? aggression,
      },
      zoneAware: zoneAware ?? !hashing,
    },
    hashHeader: hashing ? parseHashHeader(parent, fields!) : undefined,
  };
}

function parseHashHeader(parent: OptionFields, fields: OptionFields): string {
  const header = fields.fields('hashOn', ['header'])?.text('header');
  if (header === undefined) {
    parent.fail('balancer.hashOn', 'is missing, such as { header: "x-user" }');
  }
  if (!TOKEN.test(header)) fields.fail('hashOn.header', 'is no name of a header field');
  return header.toLowerCase();
}

function parseRetry(
  parent: OptionFields,
): Pick<ParsedService, 'retry' | 'perTryTimeoutMs' | 'budget'> {
  const fields = parent.fields('retry', ['attempts', 'on', 'perTryTimeoutMs', 'budget']);
  const budget = fields?.fields('budget', ['ratio', 'minPerSecond']);
  const defaults = SERVICE_DEFAULTS.retry;
  return {
    retry: createRetryRules({
      attempts: fields?.number('attempts', { min: 0, max: 10, whole: true }) ?? defaults.attempts,
      on: fields === undefined ? defaults.on : (parseConditions(fields) ?? defaults.on),
    }),
    perTryTimeoutMs: fields?.milliseconds('perTryTimeoutMs', 0) ?? defaults.perTryTimeoutMs,
    budget: {
      ratio: budget?.number('ratio', { min: 0, max: 1 }) ?? defaults.budget.ratio,
      minPerSecond:
        budget?.number('minPerSecond', { min: 0, max: 1_000_000 }) ?? defaults.budget.minPerSecond,
    },
  };
}

function parseConditions(fields: OptionFields): readonly RetryCondition[] | undefined {
  return fields.list('on')?.map((value, index) => {
    const failure = FAILURES.find((one) => one === value);
    if (failure !== undefined) return failure;
    if (Number.isInteger(value) && (value as number) >= 400 && (value as number) < 600) {
      return value as number;
    }
    return fields.fail(`on[${index}]`, `must be one of ${FAILURES.join(', ')}, or a status`);
  });
}

function parseHedge(parent: OptionFields): ParsedService['hedge'] {
  const fields = parent.fields('hedge', ['percentile', 'minDelayMs', 'attempts']);
  if (fields === undefined) return undefined;
  const defaults = HEDGE_DEFAULTS;
  return {
    percentile: fields.number('percentile', { min: 0.5, max: 0.999 }) ?? defaults.percentile,
    minDelayMs: fields.milliseconds('minDelayMs', 1) ?? defaults.minDelayMs,
    attempts: fields.number('attempts', { min: 1, max: 4, whole: true }) ?? defaults.attempts,
  };
}

function parseTimeouts(parent: OptionFields): ParsedService['timeouts'] {
  const fields = parent.fields('timeouts', ['connectMs', 'responseMs', 'idleMs', 'keepAliveMs']);
  const defaults = SERVICE_DEFAULTS.timeouts;
  return {
    connectMs: fields?.milliseconds('connectMs', 1) ?? defaults.connectMs,
    responseMs: fields?.milliseconds('responseMs', 0) ?? defaults.responseMs,
    idleMs: fields?.milliseconds('idleMs', 0) ?? defaults.idleMs,
    keepAliveMs: fields?.milliseconds('keepAliveMs', 0) ?? defaults.keepAliveMs,
  };
}

function parseBreaker(parent: OptionFields): ParsedService['circuitBreaker'] {
  const fields = parent.fields('circuitBreaker', ['maxConnections', 'maxPending', 'maxRequests']);
  const defaults = SERVICE_DEFAULTS.circuitBreaker;
  return {
    maxConnections: fields?.number('maxConnections', THRESHOLD) ?? defaults.maxConnections,
    maxPending: fields?.number('maxPending', THRESHOLD) ?? defaults.maxPending,
    maxRequests: fields?.number('maxRequests', THRESHOLD) ?? defaults.maxRequests,
  };
}
