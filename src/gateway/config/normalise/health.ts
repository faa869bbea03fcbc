/** Services: which of their endpoints are well. */
import type { OutlierRules } from '../../../mesh/health/outlier-rules.ts';
import type { HealthCheckConfig } from '../balancer-config.ts';
import type { ServiceConfig } from '../service-config.ts';
import type { ConfigPath } from '../config-path.ts';
import type { RawHealthCheck, RawOutlierDetection } from '../schema/health.ts';
import { toDurationMs, type Draft } from './draft.ts';

const KINDS = ['http', 'tcp', 'grpc'] as const;

export function toHealthCheck(
  draft: Draft,
  raw: RawHealthCheck | undefined,
  protocol: ServiceConfig['protocol'],
  path: ConfigPath,
): HealthCheckConfig | undefined {
  if (raw === undefined) return undefined;
  const kinds = KINDS.filter((kind) => raw[kind] !== undefined);
  if (kinds.length !== 1) {
    const problem = kinds.length === 0 ? 'says nothing of how' : 'knows more than one way';
    draft.report(path, `the health check ${problem}`, { hint: 'give http, tcp or grpc' });
  }
  if (raw.grpc !== undefined && (protocol === 'http1' || protocol === 'https')) {
    draft.report([...path, 'grpc'], `gRPC is not spoken over the protocol ${protocol}`, {
      at: 'key',
      hint: 'set protocol to auto, h2c or h2',
    });
  }
  return {
    by: toKind(raw),
    intervalMs: toDurationMs(draft, raw.interval, [...path, 'interval'], 1),
    timeoutMs: toDurationMs(draft, raw.timeout, [...path, 'timeout'], 1),
    healthyThreshold: raw.healthyThreshold,
    unhealthyThreshold: raw.unhealthyThreshold,
  };
}

function toKind({ http, grpc }: RawHealthCheck): HealthCheckConfig['by'] {
  if (http !== undefined) return { kind: 'http', path: http.path, host: http.host };
  return grpc === undefined ? { kind: 'tcp' } : { kind: 'grpc', service: grpc.service };
}

export function toOutlierRules(
  draft: Draft,
  raw: RawOutlierDetection,
  path: ConfigPath,
): OutlierRules | undefined {
  if (raw === false) return undefined;
  const ms = (key: 'interval' | 'baseEjectionTime' | 'maxEjectionTime'): number =>
    toDurationMs(draft, raw[key], [...path, key], 1);
  const rules: OutlierRules = {
    consecutive5xx: unlessFalse(raw.consecutive5xx),
    consecutiveGatewayFailure: unlessFalse(raw.consecutiveGatewayFailure),
    consecutiveLocalOriginFailure: unlessFalse(raw.consecutiveLocalOriginFailure),
    intervalMs: ms('interval'),
    baseEjectionTimeMs: ms('baseEjectionTime'),
    maxEjectionTimeMs: ms('maxEjectionTime'),
    maxEjectionPercent: raw.maxEjectionPercent,
    successRate: unlessFalse(raw.successRate),
    failurePercentage: unlessFalse(raw.failurePercentage),
  };
  if (rules.maxEjectionTimeMs < rules.baseEjectionTimeMs) {
    draft.report([...path, 'maxEjectionTime'], 'must not be less than baseEjectionTime');
  }
  return rules;
}

function unlessFalse<T>(value: T | false): T | undefined {
  return value === false ? undefined : value;
}
