import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/gateway/config/config.ts';
import { diffConfigs, toChangeText } from '../../../src/gateway/config/diff.ts';
import { acceptText, type TextOptions } from './config-file.ts';

async function toConfig(text: string, options?: TextOptions): Promise<Config> {
  // As the last applied one is kept; absolute paths differ by the tests' folders.
  const { config } = await acceptText(`dataDir: /d\nmeshgate: 1\n${text}`, options);
  return JSON.parse(JSON.stringify(config)) as Config;
}

async function diffTexts(before: string, after: string, options?: TextOptions): Promise<string[]> {
  const changes = diffConfigs(await toConfig(before, options), await toConfig(after, options));
  return changes.map(toChangeText);
}

const SERVICES = 'services: { s: { endpoints: [{ address: 127.0.0.1:1 }] } }\n';

describe('the difference of two configurations', () => {
  it('is nothing where they mean the same', async () => {
    expect(
      await diffTexts(
        'routes: [{ name: a, respond: {}, match: { path: /a/* } }]',
        '# other words\nroutes: [{ name: a, respond: { status: 200 }, match: [{ path: { prefix: /a } }] }]',
      ),
    ).toEqual([]);
  });

  it('names the object, the setting and its unit', async () => {
    expect(
      await diffTexts(
        `${SERVICES}routes: [{ name: orders, to: s, timeout: 10s }]\nlisteners: [{ name: http }]`,
        `${SERVICES}routes: [{ name: orders, to: s, timeout: 90s, retry: { attempts: 2 } }]\nlisteners: [{ name: http, limits: { body: 2MiB } }]`,
      ),
    ).toEqual([
      '~ listeners.http.limits.maxBody: "10MiB" → "2MiB"',
      '~ routes.orders.timeout: "10s" → "90s"',
      '+ routes.orders.retry: {"attempts":2}',
    ]);
  });

  it('tells of objects that one side has, by name and wherever they stand', async () => {
    const changes = await diffTexts(
      'consumers: [{ name: a }, { name: b }]\ntrustedProxies: [10.0.0.0/8]',
      'consumers: [{ name: c, apiKeys: [{ hash: "sha256:' +
        'ab'.repeat(32) +
        '" }] }, { name: b }]\ntrustedProxies: [10.0.0.0/8, 192.0.2.1]',
    );
    expect(changes).toEqual([
      '~ trustedProxies: ["10.0.0.0/8"] → ["10.0.0.0/8","192.0.2.1/32"]',
      '+ consumers.c: {"name":"c","groups":[],"apiKeyHashes":["abababab…"]}',
      '- consumers.a: {"name":"a","groups":[],"apiKeyHashes":[]}',
    ]);
  });

  it('goes into lists of objects', async () => {
    expect(
      await diffTexts(
        `${SERVICES}routes: [{ name: a, to: [{ service: s, weight: 90 }, { service: s, weight: 10 }] }]`,
        `${SERVICES}routes: [{ name: a, to: [{ service: s, weight: 50 }] }]`,
      ),
    ).toEqual([
      '~ routes.a.targets[0].weight: 90 → 50',
      '- routes.a.targets[1]: {"kind":"service","weight":10,"plugins":[],"service":"s","where":{}}',
    ]);
  });

  it('tells of another order of routes, which decides between equals', async () => {
    expect(
      await diffTexts(
        'routes: [{ name: a, respond: {} }, { name: x, respond: {} }, { name: b, respond: {} }]',
        'routes: [{ name: b, respond: {} }, { name: a, respond: {} }]',
      ),
    ).toEqual([expect.stringMatching(/^- routes\.x: /), '~ routes (order): ["a","b"] → ["b","a"]']);
  });

  it('shows where a secret changed, and neither value', async () => {
    const before = await toConfig(
      'plugins: [{ tenant: { secret: "${SECRET}" } }, { tenant: { secret: in-the-file } }, { stamp: { value: "${SECRET}" } }]',
      { env: { SECRET: 'first-value' } },
    );
    const after = await toConfig(
      'plugins: [{ tenant: { secret: "${SECRET}" } }, { tenant: { secret: another-one } }, { stamp: { value: "x ${SECRET}" } }]',
      { env: { SECRET: 'second-value' } },
    );
    expect(diffConfigs(before, after).map(toChangeText)).toEqual([
      '~ plugins[0].config.secret: "${SECRET}" → "${SECRET}"',
      '~ plugins[1].config.secret: "(hidden)" → "(hidden)"',
      '~ plugins[2].config.value: "${SECRET}" → "x ${SECRET}"',
    ]);
  });

  it('hides secrets within what is new or gone as a whole', async () => {
    const text = 'routes: [{ name: a, respond: {}, plugins: [{ tenant: { secret: "${S}" } }] }]';
    const withRoute = await toConfig(text, { env: { S: 'very-secret' } });
    const without = await toConfig('routes: []');
    for (const changes of [diffConfigs(without, withRoute), diffConfigs(withRoute, without)]) {
      expect(changes).toHaveLength(1);
      expect(JSON.stringify(changes)).toContain('"secret":"${S}"');
      expect(JSON.stringify(changes)).not.toContain('very-secret');
    }
  });

  it('hides the password of a URL', async () => {
    const changes = await diffTexts(
      'telemetry: {}',
      'telemetry: { tracing: { otlp: "https://user:pw@otlp.test" } }',
    );
    expect(changes).toEqual([
      '+ telemetry.tracing: {"otlp":"https://(hidden)@otlp.test","sample":0.01}',
    ]);
  });
});
