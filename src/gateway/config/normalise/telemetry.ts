/** Telemetry: the access log and traces. */
import type { TelemetryConfig } from '../config.ts';
import type { RawTelemetry } from '../schema/telemetry.ts';
import { toUsablePath, type Draft } from './draft.ts';

export function toTelemetry(draft: Draft, raw: RawTelemetry): TelemetryConfig {
  const { accessLog, tracing } = raw;
  if (tracing !== undefined && !URL.canParse(tracing.otlp)) {
    draft.report(['telemetry', 'tracing', 'otlp'], `${JSON.stringify(tracing.otlp)} is no URL`);
  }
  return {
    accessLog:
      accessLog === false
        ? undefined
        : {
            format: accessLog.format,
            path:
              accessLog.path === undefined
                ? undefined
                : toUsablePath(draft, accessLog.path, ['telemetry', 'accessLog', 'path']),
            sample: accessLog.sample,
          },
    tracing: tracing === undefined ? undefined : { otlp: tracing.otlp, sample: tracing.sample },
  };
}
