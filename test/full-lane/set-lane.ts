/** Gives the lane under test to the gateways in a test's process, and to the programs that it starts. */
import { vi } from 'vitest';
import { isFullLaneAlone, LANE_OPTIONS } from './tested-lane.ts';

if (isFullLaneAlone) {
  vi.doMock('../../src/gateway/exchange/wire-lane/wire-lane.ts', () => import('./no-wire-lane.ts'));
  process.env['NODE_OPTIONS'] = LANE_OPTIONS;
}
