import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';
import { acceptText, catalogue, createFolder, loadText } from './config-file.ts';

const EXAMPLE = resolve(import.meta.dirname, '../../../config/examples/complete.yaml');

const ROUTES = `meshgate: 1
services: { s: { endpoints: [] } }
routes:
`;

describe('the complete example', () => {
  it('is accepted without a warning', async () => {
    const result = await loadConfig(EXAMPLE, { catalogue: standardPlugins, env: {} });
    expect(result).toMatchObject({ ok: true, warnings: [] });
  });

  it('means what it says', async () => {
    const result = await loadConfig(EXAMPLE, { catalogue: standardPlugins, env: {} });
    if (!result.ok) throw new Error('refused');
    const { config } = result;
    expect(config.node).toEqual({ name: 'edge-1', zone: 'eu-1a', workers: 1 });
    expect(config.dataDir).toBe(join(EXAMPLE, '../.meshgate'));
    expect(config.listeners[0]).toMatchObject({
      host: '0.0.0.0',
      port: 8000,
      redirectHttps: { port: 8443, status: 308 },
      tls: undefined,
    });
    expect(config.listeners[1]).toMatchObject({
      hosts: ['*.example.com'],
      limits: { maxHeaderBytes: 32_768, maxBodyBytes: 10_485_760, drainMs: 30_000 },
      tls: { selfSigned: ['localhost'], clientAuth: undefined, minVersion: '1.2' },
    });
    expect(config.services[0]).toMatchObject({
      name: 'orders',
      endpoints: [
        { host: '127.0.0.1', port: 3001, weight: 2, metadata: { version: 'v1' } },
        { host: '127.0.0.1', port: 3002, weight: 1, metadata: { version: 'v2' } },
      ],
      retry: { attempts: 1, perTryTimeoutMs: 2000, budget: { ratio: 0.2, minPerSecond: 10 } },
      hedge: { percentile: 0.95, minDelayMs: 10, attempts: 1 },
      timeouts: { connectMs: 2000, responseMs: 15_000, idleMs: 60_000, keepAliveMs: 4000 },
      tls: undefined,
    });
    expect(config.services[2]).toMatchObject({
      discover: { kind: 'dns', type: 'SRV', port: undefined },
      tls: { serverName: 'billing.internal', verify: true },
    });
    expect(config.routes[0]).toMatchObject({
      matches: [
        {
          hosts: ['api.example.com', '*.example.org'],
          path: { kind: 'prefix', value: '/orders' },
          methods: ['GET', 'POST'],
          headers: [{ name: 'x-env', kind: 'exact', value: 'canary' }],
          query: [{ name: 'debug', kind: 'exact', value: '1' }],
        },
      ],
      targets: [
        { kind: 'service', service: 'orders', weight: 90, where: { version: 'v1' } },
        { kind: 'service', service: 'orders', weight: 10, where: { version: 'v2' } },
      ],
      rewrite: { path: { kind: 'strip-prefix', value: '/orders' }, host: undefined },
      timeoutMs: 30_000,
      retry: { attempts: 2, on: undefined, perTryTimeoutMs: undefined },
      mirrors: [{ service: 'orders-next', percent: 5, where: {} }],
    });
    expect(config.routes[0]?.plugins.map((plugin) => plugin.name)).toEqual(['jwt', 'rate-limit']);
    expect(config.routes[2]?.targets).toEqual([
      {
        kind: 'redirect',
        weight: 1,
        plugins: [],
        redirect: {
          scheme: undefined,
          host: undefined,
          port: undefined,
          path: { kind: 'prefix', value: '/new' },
          status: 308,
        },
      },
    ]);
    expect(config.routes[3]?.targets[0]).toMatchObject({
      kind: 'respond',
      respond: { status: 200, headers: [], body: 'hi' },
    });
    expect(config.telemetry).toEqual({
      accessLog: { format: 'json', path: join(EXAMPLE, '../access.log'), sample: 1 },
      tracing: { otlp: 'http://127.0.0.1:4318', sample: 0.01 },
    });
  });
});

describe('defaults', () => {
  it('make a gateway of the version alone', async () => {
    const { config } = await acceptText('meshgate: 1\n');
    expect(config.listeners).toMatchObject([
      { name: 'http', host: '0.0.0.0', port: 8000, protocol: 'http', proxyProtocol: false },
      { name: 'https', port: 8443, protocol: 'https', tls: { selfSigned: ['localhost'] } },
    ]);
    expect(config.admin).toEqual({
      address: { host: '127.0.0.1', port: 8001 },
      maxDocumentBytes: 8 * 1024 * 1024,
    });
    expect(config.status).toEqual({ host: '127.0.0.1', port: 8007 });
    expect(config.telemetry.accessLog).toEqual({ format: 'json', path: undefined, sample: 1 });
    expect(config.telemetry.tracing).toBeUndefined();
    expect(config.trustedProxies).toEqual([]);
  });

  it('give an https listener port 8443 and require certificates where there is a clientCa', async () => {
    const result = await loadText(
      'meshgate: 1\nlisteners: [{ name: s, protocol: https, tls: { selfSigned: [a.test], clientCa: ca.pem } }]\n',
    );
    // The authority's file is not there: that alone is wrong.
    expect(result).toMatchObject({ ok: false, issues: [{ path: 'listeners[0].tls.clientCa' }] });
  });

  it('turn the access log off by false', async () => {
    const { config } = await acceptText('meshgate: 1\ntelemetry: { accessLog: false }\n');
    expect(config.telemetry.accessLog).toBeUndefined();
  });
});

describe('sugar', () => {
  it.each([
    ['{ match: { path: /a/* }, to: s }', 'prefix', '/a'],
    ['{ match: { path: /* }, to: s }', 'prefix', '/'],
    ['{ to: s }', 'prefix', '/'],
    ['{ match: { path: /a/ }, to: s }', 'exact', '/a/'],
    ['{ match: { path: { prefix: /a/ } }, to: s }', 'prefix', '/a'],
    ['{ match: { path: { exact: "/a*" } }, to: s }', 'exact', '/a*'],
    ['{ match: { path: { regex: "/v[0-9]+" } }, to: s }', 'regex', '/v[0-9]+'],
    ['{ match: { path: /%63af%c3%a9/é/*  }, to: s }', 'prefix', '/caf%C3%A9/%C3%A9'],
  ])('%s matches by %s %s', async (route, kind, value) => {
    const { config } = await acceptText(`${ROUTES}  - ${route.replace('{', '{ name: a,')}\n`);
    expect(config.routes[0]?.matches).toMatchObject([{ path: { kind, value } }]);
  });

  it('knows conditions by value, expression and presence', async () => {
    const { config } = await acceptText(
      `${ROUTES}  - { name: a, to: s, match: { headers: { X-A: b, X-B: { regex: "c+" }, X-C: { present: true } } } }\n`,
    );
    expect(config.routes[0]?.matches[0]?.headers).toEqual([
      { name: 'x-a', kind: 'exact', value: 'b' },
      { name: 'x-b', kind: 'regex', value: 'c+' },
      { name: 'x-c', kind: 'present', value: '' },
    ]);
  });

  it('writes hosts as requests carry them', async () => {
    const { config } = await acceptText(
      `${ROUTES}  - { name: a, to: s, match: { hosts: [API.Example.com., "*.bücher.example", "[::1]", "*"] } }\n`,
    );
    expect(config.routes[0]?.matches[0]?.hosts).toEqual([
      'api.example.com',
      '*.xn--bcher-kva.example',
      '[::1]',
      '*',
    ]);
  });

  it('takes plugins as a list or a mapping, in their order', async () => {
    const { config } = await acceptText(
      `meshgate: 1\nplugins: { stamp: { value: a }, tenant: {} }\nroutes: [{ name: a, respond: {}, plugins: [{ tenant: {} }, { stamp: { value: b } }] }]\n`,
    );
    expect(config.plugins).toEqual([
      { name: 'stamp', config: { value: 'a' } },
      { name: 'tenant', config: { header: 'x-tenant', from: 'peer', allow: [] } },
    ]);
    expect(config.routes[0]?.plugins.map(({ name }) => name)).toEqual(['tenant', 'stamp']);
  });

  it('writes networks and addresses canonically', async () => {
    const { config } = await acceptText(
      'meshgate: 1\ntrustedProxies: [10.1.2.3/8, 192.0.2.1, "2001:DB8:0::1/32"]\nlisteners: [{ name: a, address: "[0:0::1]:0" }]\n',
    );
    expect(config.trustedProxies).toEqual(['10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32']);
    expect(config.listeners[0]).toMatchObject({ host: '::1', port: 0 });
  });

  it('accepts weights of 0, all of them too', async () => {
    const { config } = await acceptText(
      `${ROUTES}  - { name: a, to: [{ service: s, weight: 0 }, { respond: {}, weight: 0 }] }\n`,
    );
    expect(config.routes[0]?.targets.map(({ weight }) => weight)).toEqual([0, 0]);
  });
});

describe('YAML', () => {
  it('may be JSON, with tabs and a schema reference', async () => {
    const { config } = await acceptText(
      '{\n\t"$schema": "./x.json",\n\t"meshgate": 1,\n\t"node": { "name": "a" }\n}\n',
    );
    expect(config.node.name).toBe('a');
  });

  it('may use anchors, aliases and merge keys', async () => {
    const { config } = await acceptText(`meshgate: 1
services:
  a: &a { endpoints: [{ address: 127.0.0.1:1 }], timeouts: &t { connect: 1s } }
  b: { <<: *a, timeouts: { <<: [*t, { idle: 5s }], response: 2s } }
`);
    expect(config.services[1]).toMatchObject({
      endpoints: [{ port: 1 }],
      timeouts: { connectMs: 1000, idleMs: 5000, responseMs: 2000 },
    });
  });

  it('is refused where aliases multiply, soon and with little memory', async () => {
    const levels = Array.from({ length: 9 }, (_, i) =>
      i === 0
        ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
        : `a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ')}]`,
    );
    const result = await loadText(`meshgate: 1\n${levels.join('\n')}\n`);
    expect(result).toMatchObject({
      ok: false,
      issues: [{ line: 8, column: 15, message: 'aliases make this file too large' }],
    });
  });

  it('is refused where an alias stands inside of itself', async () => {
    const result = await loadText('meshgate: 1\nnode: &a { name: *a }\n');
    expect(result).toMatchObject({
      ok: false,
      issues: [
        {
          line: 2,
          column: 18,
          message: 'nested too deeply: more than 64 levels, or an alias of itself',
        },
      ],
    });
  });
});

describe('substitution', () => {
  it('puts variables, defaults and files in, and turns them into what is wanted', async () => {
    const { config, files } = await acceptText(
      `meshgate: 1
node: { name: "\${NAME}-\${ZONE:-z1}" }
services: { s: { endpoints: [{ address: "127.0.0.1:\${PORT}", weight: "\${WEIGHT}" }] } }
routes:
  - { name: a, allowEncodedSlash: "\${YES}", respond: { status: "\${STATUS:-201}", body: "\${file:body.txt}" } }
  - { name: b, respond: { body: "$\${NAME}" }, redirectless: 1 }
`.replace(', redirectless: 1', ''),
      {
        env: { NAME: 'n', ZONE: '', PORT: '3000', WEIGHT: '0.5', YES: 'true' },
        files: { 'body.txt': 'from a file\n' },
      },
    );
    expect(config.node.name).toBe('n-z1');
    expect(config.services[0]?.endpoints).toMatchObject([{ port: 3000, weight: 0.5 }]);
    expect(config.routes[0]).toMatchObject({
      allowEncodedSlash: true,
      targets: [{ respond: { status: 201, body: 'from a file' } }],
    });
    expect(config.routes[1]).toMatchObject({ targets: [{ respond: { body: '${NAME}' } }] });
    expect(files.map((file) => file.replace(/.*\//, ''))).toEqual(['meshgate.yaml', 'body.txt']);
  });

  it('keeps a text that reads as a number where a text is wanted', async () => {
    const { config } = await acceptText('meshgate: 1\nnode: { name: "${N}" }\n', {
      env: { N: '42' },
    });
    expect(config.node.name).toBe('42');
  });

  it('notes where substituted values and secrets went', async () => {
    const { config } = await acceptText(
      `meshgate: 1
dataDir: "/var/\${DIR}"
services: { s: { endpoints: [{ address: "\${HOST}:3000" }], timeouts: { connect: "\${WAIT}" } } }
routes:
  - { name: a, to: s, plugins: [{ tenant: { secret: "\${SECRET}" } }, { tenant: { secret: plain-secret } }] }
  - { name: b, respond: { body: top-secret } }
`,
      { env: { DIR: 'lib', HOST: 'db.internal', WAIT: '7s', SECRET: 'top-secret' } },
    );
    expect(config.redactions).toEqual([
      { path: 'services.s.endpoints[0].host', text: '${HOST}:3000' },
      { path: 'services.s.endpoints[0].port', text: '${HOST}:3000' },
      { path: 'services.s.timeouts.connect', text: '${WAIT}' },
      { path: 'routes.a.plugins[0].config.secret', text: '${SECRET}' },
      { path: 'routes.a.plugins[1].config.secret', text: '(hidden)' },
      { path: 'dataDir', text: '/var/${DIR}' },
    ]);
  });
});

describe('names', () => {
  it('may be those of every object, and reach no prototype', async () => {
    const { config } = await acceptText(`meshgate: 1
services:
  __proto__: { endpoints: [{ address: 127.0.0.1:1, metadata: { __proto__: a, constructor: b } }] }
  constructor: { endpoints: [] }
  hasOwnProperty: { endpoints: [] }
routes:
  - { name: __proto__, to: __proto__, match: { headers: { __proto__: a }, query: { __proto__: b } } }
  - { name: toString, to: [{ service: constructor, where: { __proto__: polluted } }] }
consumers: [{ name: constructor }]
`);
    expect(config.services.map(({ name }) => name)).toEqual([
      '__proto__',
      'constructor',
      'hasOwnProperty',
    ]);
    expect(Object.entries(config.services[0]?.endpoints[0]?.metadata ?? {})).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(config.routes[0]?.matches[0]?.headers).toEqual([
      { name: '__proto__', kind: 'exact', value: 'a' },
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('that are dangling are told as such, even those of every object', async () => {
    const result = await loadText(`meshgate: 1\nroutes: [{ name: a, to: constructor }]\n`);
    expect(result).toMatchObject({
      issues: [{ path: 'routes[0].to', message: 'there is no service "constructor"' }],
    });
  });
});

describe('the result', () => {
  it('is frozen to the last leaf', async () => {
    const { config } = await acceptText(
      `${ROUTES}  - { name: a, to: s, plugins: [{ tenant: { allow: [b] } }] }\n`,
    );
    const plugin = config.routes[0]?.plugins[0]?.config as { readonly allow: string[] };
    for (const part of [config, config.routes, config.routes[0]?.matches[0]?.path, plugin.allow]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('has the same hash where it means the same, and another where it does not', async () => {
    const folder = await createFolder();
    const load = async (text: string, env = {}): Promise<string> => {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(join(folder, 'meshgate.yaml'), text);
      const result = await loadConfig(join(folder, 'meshgate.yaml'), { catalogue, env });
      if (!result.ok) throw new Error('refused');
      return result.hash;
    };
    const plain = await load('meshgate: 1\nnode: { name: a }\n');
    expect(plain).toMatch(/^[0-9a-f]{64}$/);
    expect(await load('# same\n{ node: { name: "${N}" }, meshgate: 1 }', { N: 'a' })).toBe(plain);
    expect(await load('meshgate: 1\nnode: { name: b }\n')).not.toBe(plain);
  });

  it('survives JSON and a structured clone', async () => {
    const text = await readFile(EXAMPLE, 'utf8');
    const { config } = await acceptText(text, { catalogue: standardPlugins });
    expect(structuredClone(config)).toEqual(config);
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it('is an issue where there is no file', async () => {
    const folder = await createFolder();
    const result = await loadConfig(join(folder, 'none.yaml'), { catalogue });
    expect(result).toMatchObject({
      ok: false,
      issues: [{ line: 1, column: 1, path: '', message: 'the file does not exist' }],
      files: [join(folder, 'none.yaml')],
    });
  });
});
