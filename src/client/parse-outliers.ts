/** `outlierDetection` among the options of a service. */
import type { OutlierRules } from '../mesh/health/outlier-rules.ts';
import { FAILURE_PERCENTAGE_DEFAULTS, SERVICE_DEFAULTS } from '../mesh/service/service-defaults.ts';
import type { OptionFields } from './option-fields.ts';

const COUNT = { min: 1, max: 1_000_000, whole: true };
const VOLUME = { min: 1, max: 1_000_000_000, whole: true };
const PERCENT = { min: 0, max: 100 };

/** Undefined: off. */
export function parseOutliers(parent: OptionFields): OutlierRules | undefined {
  const defaults = SERVICE_DEFAULTS.outliers;
  if (parent.get('outlierDetection') === false) return undefined;
  const fields = parent.fields('outlierDetection', Object.keys(defaults));
  if (fields === undefined) return defaults;
  const rules: OutlierRules = {
    consecutive5xx: parseInARow(fields, 'consecutive5xx'),
    consecutiveGatewayFailure: parseInARow(fields, 'consecutiveGatewayFailure'),
    consecutiveLocalOriginFailure: parseInARow(fields, 'consecutiveLocalOriginFailure'),
    intervalMs: fields.milliseconds('intervalMs', 1) ?? defaults.intervalMs,
    baseEjectionTimeMs: fields.milliseconds('baseEjectionTimeMs', 1) ?? defaults.baseEjectionTimeMs,
    maxEjectionTimeMs: fields.milliseconds('maxEjectionTimeMs', 1) ?? defaults.maxEjectionTimeMs,
    maxEjectionPercent: fields.number('maxEjectionPercent', PERCENT) ?? defaults.maxEjectionPercent,
    successRate: parseSuccessRate(fields),
    failurePercentage: parseFailurePercentage(fields),
  };
  if (rules.maxEjectionTimeMs < rules.baseEjectionTimeMs) {
    fields.fail('maxEjectionTimeMs', 'must not be less than baseEjectionTimeMs');
  }
  return rules;
}

type InARow = 'consecutive5xx' | 'consecutiveGatewayFailure' | 'consecutiveLocalOriginFailure';

function parseInARow(fields: OptionFields, name: InARow): number | undefined {
  if (fields.get(name) === false) return undefined;
  return fields.number(name, COUNT) ?? SERVICE_DEFAULTS.outliers[name];
}

function parseSuccessRate(parent: OptionFields): OutlierRules['successRate'] {
  const defaults = SERVICE_DEFAULTS.outliers.successRate!;
  if (parent.get('successRate') === false) return undefined;
  const fields = parent.fields('successRate', Object.keys(defaults));
  return {
    minimumHosts: fields?.number('minimumHosts', COUNT) ?? defaults.minimumHosts,
    requestVolume: fields?.number('requestVolume', VOLUME) ?? defaults.requestVolume,
    stdevFactor: fields?.number('stdevFactor', PERCENT) ?? defaults.stdevFactor,
  };
}

function parseFailurePercentage(parent: OptionFields): OutlierRules['failurePercentage'] {
  const defaults = FAILURE_PERCENTAGE_DEFAULTS;
  if (parent.get('failurePercentage') === false) return undefined;
  const fields = parent.fields('failurePercentage', Object.keys(defaults));
  return (
    fields && {
      threshold: fields.number('threshold', PERCENT) ?? defaults.threshold,
      minimumHosts: fields.number('minimumHosts', COUNT) ?? defaults.minimumHosts,
      requestVolume: fields.number('requestVolume', VOLUME) ?? defaults.requestVolume,
    }
  );
}
