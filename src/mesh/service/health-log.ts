/** What becomes of endpoints, in the log: one line a change. */
import type { HealthEvent } from './endpoint-health.ts';
import type { Log } from '../../plugins/sdk/plugin-context.ts';

const MESSAGES: Readonly<Record<HealthEvent['kind'], string>> = {
  unhealthy: 'an endpoint fails its health checks',
  healthy: 'an endpoint passes its health checks again',
  ejected: 'an endpoint is put aside, for its requests fail',
  returned: 'an endpoint that was put aside is used again',
};

export function createHealthLog(log: Log): (event: HealthEvent) => void {
  return ({ kind, ...facts }) => {
    if (kind === 'unhealthy' || kind === 'ejected') log.warn(facts, MESSAGES[kind]);
    else log.info(facts, MESSAGES[kind]);
  };
}
