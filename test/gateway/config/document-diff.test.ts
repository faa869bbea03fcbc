import { describe, expect, it } from 'vitest';
import { createConcealer } from '../../../src/gateway/config/concealment.ts';
import { toChangeText } from '../../../src/gateway/config/diff.ts';
import { diffDocuments } from '../../../src/gateway/config/document-diff.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';
import { documentOf } from './shared-document-fixture.ts';

const concealer = createConcealer(standardPlugins);

async function diff(before: unknown, after: unknown): Promise<readonly string[]> {
  const [old, current] = [documentOf(before), documentOf(after)];
  const changes = diffDocuments(await concealer.document(old), await concealer.document(current));
  return changes.map(toChangeText);
}

describe('the difference of two documents', () => {
  it('is none where they are the same version, whatever the order of their keys', async () => {
    const before = { services: { a: { protocol: 'h2' }, b: {} }, plugins: { cors: {} } };
    const after = { plugins: [{ cors: {} }], services: { b: {}, a: { protocol: 'h2' } } };
    expect(await diff(before, after)).toEqual([]);
  });

  it('is told by name, as it is written', async () => {
    expect(
      await diff(
        {
          services: { 'a.b': { timeouts: { connect: '1s' } } },
          routes: [{ name: 'r', to: 'a' }, { name: 'gone' }],
          plugins: [{ cors: { origins: ['x'] } }],
        },
        {
          services: { 'a.b': { timeouts: { connect: '2s', idle: '1000ms' } }, c: {} },
          routes: [{ name: 'r', to: [{ service: 'a' }] }],
          plugins: [{ headers: {} }, { cors: { origins: ['x', 'y'] } }],
          consumers: [{ name: 'c', labels: { a: 'b' } }],
        },
      ),
    ).toEqual([
      '~ services["a.b"].timeouts.connect: "1s" → "2s"',
      '+ services["a.b"].timeouts.idle: "1000ms"',
      '+ services.c: {}',
      '~ routes.r.to: "a" → [{"service":"a"}]',
      '- routes.gone: {"name":"gone"}',
      '+ plugins.headers: {}',
      '~ plugins.cors.origins: ["x"] → ["x","y"]',
      '+ consumers.c: {"name":"c","labels":{"a":"b"}}',
    ]);
  });

  it('is the order of routes and of plugins too', async () => {
    const [a, b] = [{ name: 'a' }, { name: 'b' }];
    expect(await diff({ routes: [a, b] }, { routes: [b, a] })).toEqual([
      '~ routes (order): ["a","b"] → ["b","a"]',
    ]);
    expect(
      await diff({ plugins: { cors: {}, acl: {} } }, { plugins: { acl: {}, cors: {} } }),
    ).toEqual(['~ plugins (order): ["cors","acl"] → ["acl","cors"]']);
    expect(await diff({ consumers: [a, b] }, { consumers: [b, a] })).toEqual([]);
  });

  it('shows that a secret changed, and not to what', async () => {
    const withKey = (secret: string, digits: string): unknown => ({
      routes: [{ name: 'r', plugins: [{ jwt: { secret } }] }],
      consumers: [{ name: 'c', apiKeys: [{ hash: `sha256:${digits.repeat(32)}` }] }],
    });
    expect(await diff(withKey('one', '01'), withKey('${TWO}', '02'))).toEqual([
      '~ routes.r.plugins[0].jwt.secret: "(hidden)" → "${TWO}"',
      '~ consumers.c.apiKeys[0].hash: "sha256:01010101…" → "sha256:02020202…"',
    ]);
    expect(await diff({}, withKey('one', '01'))).toEqual([
      '+ routes.r: {"name":"r","plugins":[{"jwt":{"secret":"(hidden)"}}]}',
      '+ consumers.c: {"name":"c","apiKeys":[{"hash":"sha256:01010101…"}]}',
    ]);
  });
});
