import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { createConcealer } from '../../../src/gateway/config/concealment.ts';
import { holdsConcealed } from '../../../src/gateway/config/restoration.ts';
import { definePlugin } from '../../../src/plugins/sdk/define-plugin.ts';
import { documentOf } from './shared-document-fixture.ts';

const vault = definePlugin({
  name: 'vault',
  config: Type.Object({
    pin: Type.Optional(Type.Number({ writeOnly: true })),
    sealed: Type.Optional(Type.Array(Type.String(), { writeOnly: true })),
    open: Type.Optional(Type.String()),
  }),
  stage: 'edge',
  create: () => ({}),
});
const concealer = createConcealer(new Map([[vault.name, vault]]));

async function shownOf(document: unknown): Promise<unknown> {
  return (await concealer.document(documentOf(document))).shown;
}

describe('a document that is shown', () => {
  it('is the very same where it holds no secret', async () => {
    const document = documentOf({
      services: { a: { endpoints: [{ address: '127.0.0.1:1' }] } },
      routes: [{ name: 'a', to: 'a', plugins: [{ vault: { open: 'x' } }] }],
    });
    const { shown, redactions } = await concealer.document(document);
    expect(shown).toBe(document);
    expect(redactions).toEqual([]);
  });

  it('hides what a schema marks, of whatever type, wherever a plugin stands', async () => {
    const plugins = [{ vault: { pin: 1234, sealed: ['a', 'b'], open: 'x' } }];
    const hidden = [{ vault: { pin: '(hidden)', sealed: ['(hidden)', '(hidden)'], open: 'x' } }];
    expect(
      await shownOf({
        services: { a: { balancer: { sticky: { cookie: 'c', secret: 'sixteen-letters-' } } } },
        routes: [{ name: 'a', plugins, to: [{ service: 'a', plugins }] }],
        plugins: [...plugins, { vault: { open: 'y' } }],
      }),
    ).toMatchObject({
      services: { a: { balancer: { sticky: { cookie: 'c', secret: '(hidden)' } } } },
      routes: [{ name: 'a', plugins: hidden, to: [{ service: 'a', plugins: hidden }] }],
      plugins: [...hidden, { vault: { open: 'y' } }],
    });
  });

  it('hides by the name of a key, and passwords in URLs', async () => {
    expect(
      await shownOf({
        plugins: [
          {
            vault: {
              clientSecret: 'a',
              nested: { password: { a: 'b', on: true } },
              set: { Authorization: 'Basic eDp5' },
              url: 'https://me:pass@host.test/x',
              count: 5,
            },
          },
        ],
      }),
    ).toMatchObject({
      plugins: [
        {
          vault: {
            clientSecret: '(hidden)',
            nested: { password: { a: '(hidden)', on: true } },
            set: { Authorization: '(hidden)' },
            url: 'https://(hidden)@host.test/x',
            count: 5,
          },
        },
      ],
    });
  });

  it('does not take the name of an object for one of a secret', async () => {
    const document = documentOf({
      services: { token: { protocol: 'http1' } },
      routes: [{ name: 'secret', to: 'token' }],
    });
    expect((await concealer.document(document)).shown).toBe(document);
  });

  it('hides all texts of a plugin that is not known here', async () => {
    expect(
      await shownOf({
        routes: [{ name: 'a', plugins: [{ strange: { a: 'x', b: { c: ['y'], d: 5 } } }] }],
        plugins: [{ strange: { a: 'x' } }],
      }),
    ).toMatchObject({
      routes: [{ plugins: [{ strange: { a: '(hidden)', b: { c: ['(hidden)'], d: 5 } } }] }],
      plugins: [{ strange: { a: '(hidden)' } }],
    });
  });

  it('shows what names a secret, but no default of one', async () => {
    const texts = ['${SECRET}', '${file:/run/secrets/a}', '${SECRET:-hunter2}', 'a${SECRET}'];
    expect(await shownOf({ plugins: [{ vault: { sealed: texts } }] })).toMatchObject({
      plugins: [{ vault: { sealed: [texts[0], texts[1], '(hidden)', '(hidden)'] } }],
    });
  });

  it('shows so much of the hash of a key that it can be told from another', async () => {
    const apiKeys = [{ hash: `sha256:${'0A'.repeat(32)}` }];
    expect(await shownOf({ consumers: [{ name: 'a', apiKeys }] })).toMatchObject({
      consumers: [{ apiKeys: [{ hash: 'sha256:0A0A0A0A…' }] }],
    });
  });

  it('tells where secrets were, by name and by place', async () => {
    const { redactions } = await concealer.document(
      documentOf({
        services: { a: {} },
        routes: [{ name: 'x' }, { name: 'r', plugins: [{ vault: { pin: 1 } }] }],
        plugins: [{ vault: {} }, { vault: { pin: 2 } }],
      }),
    );
    expect(redactions).toEqual([
      {
        path: 'routes.r.plugins[0].vault.pin',
        steps: ['routes', 1, 'plugins', 0, 'vault', 'pin'],
        text: '(hidden)',
      },
      {
        path: 'plugins["vault:2"].pin',
        steps: ['plugins', 1, 'vault', 'pin'],
        text: '(hidden)',
      },
    ]);
  });

  it('hides as much of many entries as of one', async () => {
    const routes = Array.from({ length: 450 }, (_, i) => ({
      name: `r${i}`,
      plugins: [{ vault: { sealed: [`s${i}`] } }],
    }));
    const { shown } = await concealer.document(documentOf({ routes }));
    expect(shown.routes.every((route) => holdsConcealed(route))).toBe(true);
    expect(JSON.stringify(shown)).not.toMatch(/"s\d/);
  });
});
