/** The doors of a node, by its configuration. */
import { describe, expect, it } from 'vitest';
import { allListenersOf, inboundDoorsOf } from '../../../src/gateway/doors/door-listeners.ts';
import { createUndeclaredServices } from '../../../src/gateway/config/mesh-service.ts';
import { acceptText } from '../config/config-file.ts';

const NODE = `meshgate: 1
listeners: [{ name: http, address: 127.0.0.1:8080 }]
register:
  - { service: orders, address: 127.0.0.1:3001, inbound: 0.0.0.0:4143 }
  - { service: orders, address: 127.0.0.1:3002, inbound: 0.0.0.0:4144, id: two, protocol: h2c }
  - { service: users, address: 127.0.0.1:3003, inbound: 0.0.0.0:4145 }
  - { service: cron, address: 127.0.0.1:3004 }
outbound: {}
`;

describe('the doors of a node', () => {
  it('stand beside the listeners of the file, under names that no file can have', async () => {
    const { config } = await acceptText(NODE);
    expect(allListenersOf(config).map(({ name, door, port }) => [name, door, port])).toEqual([
      ['http', undefined, 8080],
      ['mesh:inbound:orders', 'inbound', 4143],
      ['mesh:inbound:orders:two', 'inbound', 4144],
      ['mesh:inbound:users', 'inbound', 4145],
      ['mesh:outbound', 'outbound', 4140],
    ]);
  });

  it('limit no body, and more fields than an edge listener lets in', async () => {
    const { config } = await acceptText(NODE);
    const [edge, ...doors] = allListenersOf(config);
    for (const { limits } of doors) {
      expect(limits.maxBodyBytes).toBe(0);
      expect(limits.maxHeaderFields).toBeGreaterThan(edge!.limits.maxHeaderFields);
      expect(limits.maxHeaderBytes).toBeGreaterThan(edge!.limits.maxHeaderBytes);
    }
  });

  it('leave judgement and time limits of the application to the callers', async () => {
    const { config } = await acceptText(NODE);
    const undeclared = createUndeclaredServices();
    const [, two] = inboundDoorsOf(config);
    expect(undeclared.local(two!.registration)).toMatchObject({
      name: 'orders',
      endpoints: [{ host: '127.0.0.1', port: 3002, weight: 1 }],
      discover: undefined,
      protocol: 'h2c',
      outlierDetection: undefined,
      healthCheck: undefined,
      retry: { attempts: 1, on: ['connect-failure', 'refused-stream'] },
      timeouts: { responseMs: 0, idleMs: 0 },
    });
  });
});
