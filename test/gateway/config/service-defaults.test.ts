/** The defaults of a service are those of the mesh, wherever it is called from. */
import { describe, expect, it } from 'vitest';
import {
  CHECK_DEFAULTS,
  FAILURE_PERCENTAGE_DEFAULTS,
  HEDGE_DEFAULTS,
  LOCAL_CHECK_DEFAULTS,
  SERVICE_DEFAULTS,
} from '../../../src/mesh/service/service-defaults.ts';
import { acceptText } from './config-file.ts';

const SERVICES = `meshgate: 1
services:
  plain: { discover: { mesh: plain } }
  checked:
    discover: { mesh: checked }
    healthCheck: { tcp: {} }
    hedge: {}
    balancer: { slowStart: {} }
    outlierDetection: { failurePercentage: {} }
register: [{ service: plain, address: 127.0.0.1:3001 }]
`;

describe('a configuration that says nothing', () => {
  it('calls a service as the mesh does by itself', async () => {
    const { config } = await acceptText(SERVICES);
    // What an application calls by fetch is HTTP/1.1, of which gRPC is none.
    const { protocol: _http1, outliers, policy, slowStart, ...rest } = SERVICE_DEFAULTS;
    const [plain, checked] = config.services;
    expect(plain).toMatchObject({ ...rest, protocol: 'auto', outlierDetection: outliers });
    expect(plain!.hedge).toBeUndefined();
    expect(checked!.hedge).toEqual(HEDGE_DEFAULTS);
    expect(plain!.balancer).toMatchObject({ policy, slowStart: undefined, zoneAware: true });
    expect(checked!.balancer.slowStart).toEqual(slowStart);
    expect(checked!.healthCheck).toEqual({ by: { kind: 'tcp' }, ...CHECK_DEFAULTS });
    expect(checked!.outlierDetection!.failurePercentage).toEqual(FAILURE_PERCENTAGE_DEFAULTS);
  });

  it('looks at an application beside the node as the mesh does by itself', async () => {
    const { config } = await acceptText(SERVICES);
    const [registration] = config.registrations;
    expect(registration!.healthCheck).toEqual({ by: { kind: 'tcp' }, ...LOCAL_CHECK_DEFAULTS });
  });
});
