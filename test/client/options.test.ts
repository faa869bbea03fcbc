/** Bad options: each is refused, and the error names the field. */
import { describe, expect, it } from 'vitest';
import { createMesh, MeshClientError, type MeshOptions } from '../../src/client/client.ts';
import { parseOptions } from '../../src/client/parse-options.ts';
import { parseRegistration } from '../../src/client/parse-registration.ts';
import { HEDGE_DEFAULTS, SERVICE_DEFAULTS } from '../../src/mesh/service/service-defaults.ts';

const REDIS = 'redis://127.0.0.1:6379';

function refusalOf(parse: () => unknown): MeshClientError {
  try {
    parse();
  } catch (error) {
    if (error instanceof MeshClientError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const orders = (settings: unknown): unknown => ({ redis: REDIS, services: { orders: settings } });

describe('the options of createMesh', () => {
  const cases: readonly [options: unknown, field: string, problem: RegExp][] = [
    [undefined, 'the options', /must be an object/],
    [{}, 'redis', /is missing/],
    [{ redis: 'http://127.0.0.1' }, 'redis', /not a Redis URL/],
    [{ redis: 6379 }, 'redis', /must be an object/],
    [{ redis: {} }, 'redis', /one of url, sentinels and cluster/],
    [{ redis: { url: REDIS, cluster: ['a:1'] } }, 'redis', /one of url, sentinels and cluster/],
    [{ redis: { sentinels: ['a:1'] } }, 'redis.name', /is missing/],
    [{ redis: { sentinels: ['a:1', 'b'], name: 'm' } }, 'redis.sentinels[1]', /host:port/],
    [{ redis: { cluster: [] } }, 'redis.cluster', /must be a list/],
    [{ redis: { cluster: ['a:1'], name: 'm' } }, 'redis.name', /nothing without sentinels/],
    [
      { redis: { url: REDIS, tls: { ca: '/etc/ca.pem' } } },
      'redis.tls.ca',
      /PEM text, not the name/,
    ],
    [{ redis: { url: REDIS, tls: { cert: '-----BEGIN A' } } }, 'redis.tls.key', /go together/],
    [{ redis: REDIS, namespace: 'a b' }, 'namespace', /must be of the form/],
    [{ redis: REDIS, node: { zone: 7 } }, 'node.zone', /must be a text/],
    [{ redis: REDIS, node: { nam: 'a' } }, 'node.nam', /is not known; there are name, zone/],
    [{ redis: REDIS, dataDir: '' }, 'dataDir', /must be a text/],
    [{ redis: REDIS, suffix: 'mesh' }, 'suffix', /must be of the form/],
    [{ redis: REDIS, discoveryTimeoutMs: -1 }, 'discoveryTimeoutMs', /from 0 to/],
    [{ redis: REDIS, discoveryTimeoutMs: Number.NaN }, 'discoveryTimeoutMs', /from 0 to/],
    [{ redis: REDIS, log: { info() {} } }, 'log', /methods debug, info, warn, error/],
    [{ redis: REDIS, services: ['orders'] }, 'services', /must be an object/],
    [{ redis: REDIS, services: { Orders: {} } }, 'services.Orders', /lower-case/],
    [orders(null), 'services.orders', /must be an object/],
    [orders({ retries: 1 }), 'services.orders.retries', /is not known; there are protocol,/],
    [orders({ protocol: 'http3' }), 'services.orders.protocol', /one of http1, h2c, https, h2/],
    [orders({ tls: {} }), 'services.orders.tls', /nothing to the protocol http1/],
    [orders({ balancer: { policy: 'best' } }), 'services.orders.balancer.policy', /one of/],
    [orders({ balancer: { policy: 'maglev' } }), 'services.orders.balancer.hashOn', /is missing/],
    [
      orders({ balancer: { hashOn: { header: 'x-user' } } }),
      'services.orders.balancer.hashOn',
      /nothing to the policy round-robin/,
    ],
    [
      orders({ balancer: { policy: 'maglev', hashOn: { header: 'x-user' }, slowStart: {} } }),
      'services.orders.balancer.slowStart',
      /nothing to the policy maglev/,
    ],
    [orders({ retry: { attempts: 1.5 } }), 'services.orders.retry.attempts', /whole number/],
    [orders({ retry: { on: ['503'] } }), 'services.orders.retry.on[0]', /or a status/],
    [orders({ retry: { budget: { ratio: 2 } } }), 'services.orders.retry.budget.ratio', /0 to 1/],
    [orders({ hedge: true }), 'services.orders.hedge', /must be an object/],
    [orders({ hedge: { percentile: 95 } }), 'services.orders.hedge.percentile', /0.5 to 0.999/],
    [orders({ hedge: { minDelayMs: 0 } }), 'services.orders.hedge.minDelayMs', /number from 1/],
    [orders({ timeouts: { connect: '2s' } }), 'services.orders.timeouts.connect', /connectMs/],
    [orders({ timeouts: { connectMs: '2s' } }), 'services.orders.timeouts.connectMs', /number/],
    [
      orders({ circuitBreaker: { maxRequests: 0 } }),
      'services.orders.circuitBreaker.maxRequests',
      /from 1/,
    ],
    [orders({ outlierDetection: true }), 'services.orders.outlierDetection', /must be an object/],
    [
      orders({ outlierDetection: { maxEjectionTimeMs: 1 } }),
      'services.orders.outlierDetection.maxEjectionTimeMs',
      /not be less than/,
    ],
    [orders({ healthCheck: {} }), 'services.orders.healthCheck', /one of http, tcp and grpc/],
    [orders({ healthCheck: { grpc: {} } }), 'services.orders.healthCheck.grpc', /h2c or h2/],
    [
      orders({ healthCheck: { http: { path: 'healthz' } } }),
      'services.orders.healthCheck.http.path',
      /begin with a slash/,
    ],
  ];

  it.each(cases)('%j is refused for %s', (options, field, problem) => {
    const { code, message, field: named } = refusalOf(() => createMesh(options as MeshOptions));
    expect([code, message]).toEqual(['invalid_option', expect.stringMatching(problem)]);
    expect(message).toContain(field);
    expect(named).toBe(field);
  });

  it('never repeat a password', () => {
    const { message } = refusalOf(() => parseOptions({ redis: 'rediss//u:hunter2@h' }));
    expect(message).not.toContain('hunter2');
  });

  it('that are left out are the defaults of every service', () => {
    const { services, otherServices } = parseOptions({ redis: REDIS, services: { orders: {} } });
    expect(services.get('orders')).toEqual(otherServices);
    const { circuitBreaker, timeouts, retry } = SERVICE_DEFAULTS;
    expect(otherServices).toMatchObject({
      protocol: 'http1',
      balancing: { policy: 'round-robin', zoneAware: true },
      circuitBreaker,
      timeouts,
      retry: { attempts: 1, conditions: new Set(retry.on) },
      hedge: undefined,
      perTryTimeoutMs: 0,
      budget: { ratio: 0.2, minPerSecond: 10 },
      health: { checks: undefined, outliers: SERVICE_DEFAULTS.outliers },
    });
  });

  it('hedge as every service does that is to', () => {
    const { services } = parseOptions(orders({ hedge: { attempts: 2 } }));
    expect(services.get('orders')!.hedge).toEqual({ ...HEDGE_DEFAULTS, attempts: 2 });
  });

  it('reach Redis by Sentinel, in a cluster, and over TLS', () => {
    const topologyOf = (redis: unknown): unknown => parseOptions({ redis }).target;
    expect(
      topologyOf({ sentinels: ['a:1', '[::1]:2'], name: 'm', password: 'p', tls: true }),
    ).toEqual({
      password: 'p',
      tls: {},
      topology: {
        type: 'sentinel',
        sentinels: [
          { host: 'a', port: 1 },
          { host: '::1', port: 2 },
        ],
        name: 'm',
        sentinelUsername: undefined,
        sentinelPassword: undefined,
        sentinelTls: {},
      },
    });
    expect(topologyOf({ cluster: ['a:1'], username: 'u' })).toEqual({
      username: 'u',
      topology: { type: 'cluster', nodes: [{ host: 'a', port: 1 }] },
    });
    expect(topologyOf({ url: 'redis://h:1/2', tls: { serverName: 'n', verify: false } })).toEqual({
      topology: { type: 'single', host: 'h', port: 1 },
      database: 2,
      tls: { servername: 'n', rejectUnauthorized: false },
    });
  });
});

describe('the options of register', () => {
  const cases: readonly [options: unknown, field: string, problem: RegExp][] = [
    ['orders', 'the options', /must be an object/],
    [{ address: 1 }, 'service', /lower-case/],
    [{ service: 'Orders', address: 1 }, 'service', /lower-case/],
    [{ service: 'orders' }, 'address', /host:port, or a port/],
    [{ service: 'orders', address: 0 }, 'address', /from 1 to 65535/],
    [{ service: 'orders', address: '3001' }, 'address', /host:port/],
    [{ service: 'orders', address: 'http://a:1' }, 'address', /host:port/],
    [{ service: 'orders', address: 1, advertise: 'a' }, 'advertise', /host:port/],
    [{ service: 'orders', address: 1, metadata: { version: 2 } }, 'metadata.version', /a text/],
    [{ service: 'orders', address: 1, weight: -1 }, 'weight', /from 0 to/],
    [{ service: 'orders', address: 1, priority: 1.5 }, 'priority', /whole/],
    [{ service: 'orders', address: 1, id: 'x'.repeat(300) }, 'id', /at most 256/],
    [{ service: 'orders', address: 1, healthCheck: null }, 'healthCheck', /must be an object/],
    [{ service: 'orders', address: 1, protocol: 'h2' }, 'protocol', /one of http1, h2c/],
    [{ service: 'orders', address: 1, signal: {} }, 'signal', /AbortSignal/],
    [{ service: 'orders', address: 1, port: 2 }, 'port', /is not known/],
  ];

  it.each(cases)('%j is refused for %s', (options, field, problem) => {
    const { code, message } = refusalOf(() => parseRegistration(options));
    expect([code, message]).toEqual(['invalid_option', expect.stringMatching(problem)]);
    expect(message).toContain(field);
  });

  it('take a port, or an address of every interface, for one that is yet to be found out', () => {
    for (const address of [3001, '0.0.0.0:3001', '[::]:3001']) {
      expect(parseRegistration({ service: 'orders', address })).toMatchObject({
        application: { host: '127.0.0.1', port: 3001 },
        advertised: undefined,
      });
    }
    expect(parseRegistration({ service: 'orders', address: '[fd00::1]:3001' })).toMatchObject({
      application: { host: 'fd00::1', port: 3001 },
      advertised: { host: 'fd00::1', port: 3001 },
    });
  });
});
