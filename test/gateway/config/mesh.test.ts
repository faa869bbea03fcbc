/** What a configuration says of the mesh: its backplane, registrations and the outbound door. */
import { describe, expect, it } from 'vitest';
import { diffConfigs, toChangeText } from '../../../src/gateway/config/diff.ts';
import { acceptText, issuesOf } from './config-file.ts';

const SIDECAR = `meshgate: 1
backplane: { redis: redis://127.0.0.1:6379 }
register: [{ service: orders, address: 127.0.0.1:3001, inbound: 0.0.0.0:4143, metadata: { version: v2 }, healthCheck: { http: { path: /healthz } } }]
outbound: { address: 127.0.0.1:4140, services: [payments] }
`;

describe('the configuration of a node proxy', () => {
  it('registers, listens for the mesh, and has none of the default listeners', async () => {
    const { config } = await acceptText(SIDECAR);
    expect(config.listeners).toEqual([]);
    expect(config.backplane).toMatchObject({
      redis: { kind: 'single', url: 'redis://127.0.0.1:6379' },
      namespace: 'meshgate',
    });
    expect(config.registrations).toEqual([
      {
        service: 'orders',
        application: { host: '127.0.0.1', port: 3001 },
        inbound: { host: '0.0.0.0', port: 4143 },
        advertise: undefined,
        id: undefined,
        protocol: 'auto',
        weight: 1,
        priority: 0,
        metadata: { version: 'v2' },
        healthCheck: {
          by: { kind: 'http', path: '/healthz', host: undefined },
          intervalMs: 5000,
          timeoutMs: 1000,
          healthyThreshold: 2,
          unhealthyThreshold: 3,
        },
      },
    ]);
    expect(config.outbound).toEqual({ host: '127.0.0.1', port: 4140, services: ['payments'] });
  });

  it('has listeners where it asks for them', async () => {
    const listeners = 'listeners: [{ name: a, address: 127.0.0.1:8080 }]\n';
    const { config } = await acceptText(`meshgate: 1\noutbound: {}\n${listeners}`);
    expect(config.listeners.map(({ name }) => name)).toEqual(['a']);
    expect(config.outbound).toEqual({ host: '127.0.0.1', port: 4140, services: undefined });
  });

  it('is a gateway with the default listeners where it is no node proxy', async () => {
    const { config } = await acceptText('meshgate: 1\n');
    expect(config.listeners.map(({ name }) => name)).toEqual(['http', 'https']);
    expect([config.registrations, config.outbound]).toEqual([[], undefined]);
    expect(config.backplane).toEqual({ redis: undefined, namespace: 'meshgate' });
  });

  it('can be named by routes through its default listeners', async () => {
    const route = '{ name: r, listeners: [http, https], respond: {} }';
    const { config } = await acceptText(`meshgate: 1\nroutes: [${route}]\n`);
    expect(config.routes[0]?.listeners).toEqual(['http', 'https']);
  });

  it('finds a service in the mesh', async () => {
    const { config } = await acceptText(
      'meshgate: 1\nservices: { orders: { discover: { mesh: orders-v2 } } }\n',
    );
    expect(config.services[0]?.discover).toEqual({ kind: 'mesh', service: 'orders-v2' });
  });
});

describe('a broken configuration of the mesh', () => {
  it.each([
    [
      'a URL that is not of Redis',
      'backplane: { redis: "http://secret@x" }\n',
      [
        '2:21 backplane.redis: (hidden) is not valid here (write it like redis://127.0.0.1:6379 or rediss://mesh:${REDIS_PASSWORD}@redis.internal:6380/0)',
      ],
    ],
    [
      'a database that is none',
      'backplane: { redis: "redis://x/users" }\n',
      ['2:21 backplane.redis: the path of a Redis URL is the number of a database'],
    ],
    [
      'Sentinels without a name, beside a URL',
      'backplane: { redis: { url: "redis://x", sentinels: ["s:1"] } }\n',
      [
        '2:21 backplane.redis: redis knows more than one way (give url, or sentinels and name, or cluster)',
        '2:21 backplane.redis: "sentinels" needs "name" (give the name of the master group)',
      ],
    ],
    [
      'an application without a port, and two instances that are one',
      `register:
  - { service: a, address: "127.0.0.1:0" }
  - { service: b, address: "127.0.0.1:81", id: x }
  - { service: b, address: "127.0.0.1:82", id: x }
`,
      [
        '3:28 register[0].address: "127.0.0.1:0": the port must be between 1 and 65535',
        '5:5 register[2]: the same instance as register[1] (give one of them another id or address)',
      ],
    ],
    [
      'doors that take the same address',
      'register: [{ service: a, address: "127.0.0.1:81", inbound: "0.0.0.0:4140" }]\noutbound: {}\n',
      [
        '2:60 register[0].inbound: the address is taken by the outbound door, which has it unless told otherwise (give one of the two another port or address)',
      ],
    ],
    [
      'a node that listens nowhere',
      'listeners: []\n',
      [
        '2:12 listeners: the node listens nowhere (give it a listener, or leave the key out for the default ones)',
      ],
    ],
    [
      'two kinds of discovery',
      'services: { a: { discover: { mesh: a, dns: { name: a.test, port: 1 } } } }\n',
      ['2:28 services.a.discover: must have exactly one key'],
    ],
    [
      'gRPC health of an application that speaks HTTP/1.1',
      'register: [{ service: a, address: "127.0.0.1:81", protocol: http1, healthCheck: { grpc: {} } }]\n',
      [
        '2:83 register[0].healthCheck.grpc: gRPC is not spoken over the protocol http1 (set protocol to auto, h2c or h2)',
      ],
    ],
  ])('tells of %s', async (_title, text, issues) => {
    expect(await issuesOf(`meshgate: 1\n${text}`)).toEqual(issues);
  });
});

describe('the password of the backplane', () => {
  it('is not shown in a diff, wherever it stands', async () => {
    const text = (redis: string): string => `meshgate: 1\nbackplane: { redis: ${redis} }\n`;
    const { config: before } = await acceptText(text('"redis://u:sesame1@x"'));
    const { config: after } = await acceptText(text('{ cluster: ["x:1"], password: sesame2 }'));
    const shown = diffConfigs(before, after).map(toChangeText).join('\n');
    expect(shown).toContain('cluster');
    expect(shown).not.toContain('sesame');
  });
});

describe('adaptive weights', () => {
  it.each([
    ['discover: { mesh: orders }', true],
    ['discover: { mesh: orders }, adaptiveWeights: false', false],
    ['discover: { mesh: orders }, balancer: { policy: maglev }', false],
    ['endpoints: []', false],
    ['endpoints: [], adaptiveWeights: true', true],
  ])('of a service with %s are in force: %s', async (keys, expected) => {
    const { config } = await acceptText(`meshgate: 1\nservices: { orders: { ${keys} } }\n`);
    expect(config.services[0]!.adaptiveWeights).toBe(expected);
  });

  it('are refused where equal keys stay on their endpoint', async () => {
    const keys = 'endpoints: [], balancer: { policy: ring-hash }, adaptiveWeights: true';
    expect(await issuesOf(`meshgate: 1\nservices:\n  a: { ${keys} }\n`)).toEqual([
      '3:56 services.a.adaptiveWeights: "adaptiveWeights" means nothing to the policy ring-hash (remove it: equal keys stay on their endpoint)',
    ]);
  });
});
