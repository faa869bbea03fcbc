/** HTTP checks: 2xx passes, 429 warns, anything else fails. */
import type { Probe, ProbeProtocol, ProbeReport } from './probe.ts';
import { createRequestProbe } from './request-probe.ts';

export interface HttpCheck {
  /** Path and query. */
  readonly path: string;
  /** The Host field; undefined: the endpoint's address. */
  readonly host: string | undefined;
}

export function createHttpProbe({ path, host }: HttpCheck, protocol: ProbeProtocol): Probe {
  return createRequestProbe(
    {
      method: 'GET',
      target: path,
      authority: host,
      headers: ['User-Agent', 'meshgate-health-check', 'Accept', '*/*'],
      body: () => undefined,
      judgeHead: judgeStatus,
      judgeEnd: () => ({ result: 'fail', detail: 'no answer' }),
    },
    protocol,
  );
}

function judgeStatus(status: number): ProbeReport {
  const detail = `status ${status}`;
  if (status >= 200 && status < 300) return { result: 'pass', detail };
  return { result: status === 429 ? 'warn' : 'fail', detail };
}
