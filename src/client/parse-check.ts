/** `healthCheck` among the options → the way of asking, and how often. */
import type { CheckRules } from '../mesh/health/active-checks.ts';
import { createProbe, type CheckKind } from '../mesh/health/create-probe.ts';
import type { Probe, ProbeProtocol } from '../mesh/health/probe.ts';
import type { OptionFields } from './option-fields.ts';

export interface ParsedCheck {
  readonly probe: Probe;
  readonly rules: CheckRules;
}

const KINDS = ['http', 'tcp', 'grpc'] as const;
const THRESHOLD = { min: 1, max: 100, whole: true };
const PATH = /^\/[^#\s]*$/;

/** Undefined where it is not given. */
export function parseCheck(
  parent: OptionFields,
  protocol: ProbeProtocol,
  defaults: CheckRules,
): ParsedCheck | undefined {
  const fields = parent.fields('healthCheck', [
    ...KINDS,
    'intervalMs',
    'timeoutMs',
    'healthyThreshold',
    'unhealthyThreshold',
  ]);
  if (fields === undefined) return undefined;
  const by = parseKind(parent, fields);
  if (by.kind === 'grpc' && protocol.protocol !== 'h2c' && protocol.protocol !== 'h2') {
    fields.fail('grpc', 'needs the protocol h2c or h2');
  }
  return {
    probe: createProbe({ by }, protocol),
    rules: {
      intervalMs: fields.milliseconds('intervalMs', 1) ?? defaults.intervalMs,
      timeoutMs: fields.milliseconds('timeoutMs', 1) ?? defaults.timeoutMs,
      healthyThreshold: fields.number('healthyThreshold', THRESHOLD) ?? defaults.healthyThreshold,
      unhealthyThreshold:
        fields.number('unhealthyThreshold', THRESHOLD) ?? defaults.unhealthyThreshold,
    },
  };
}

function parseKind(parent: OptionFields, fields: OptionFields): CheckKind {
  const kinds = KINDS.filter((kind) => fields.has(kind));
  if (kinds.length !== 1) parent.fail('healthCheck', 'must have one of http, tcp and grpc');
  const http = fields.fields('http', ['path', 'host']);
  if (http !== undefined) {
    const path = http.text('path') ?? '/';
    if (!PATH.test(path)) http.fail('path', 'must begin with a slash');
    return { kind: 'http', path, host: http.text('host') };
  }
  if (fields.get('tcp') !== true) {
    const grpc = fields.fields('grpc', ['service']);
    if (grpc !== undefined) return { kind: 'grpc', service: grpc.text('service') ?? '' };
    fields.fields('tcp', []);
  }
  return { kind: 'tcp' };
}
