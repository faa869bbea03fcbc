/** Consumers and groups that the configurations of plugins name. */
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { definePlugin, type PluginDefinition } from '../../../src/plugins/sdk/define-plugin.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';
import { issuesOf, loadText, type TextOptions } from './config-file.ts';

const SHARED = `consumers:
  - { name: acme, groups: [gold, staff] }
  - { name: umbrella }
plugins: [{ api-key: {} }]
routes:
  - name: a
    respond: { status: 204 }
    plugins:
`;

const issues = (plugins: string, options: TextOptions = {}): Promise<string[]> =>
  issuesOf(`meshgate: 1\n${SHARED}      - acl: ${plugins}\n`, {
    catalogue: standardPlugins,
    ...options,
  });

describe('a consumer that acl names', () => {
  it('is an error where there is none, with the nearest name', async () => {
    expect(await issues('{ allow: { consumers: [acme, acne, nobody] } }')).toEqual([
      '10:43 routes[0].plugins[0].acl.allow.consumers[1]: there is no consumer "acne" (did you mean "acme"?)',
      '10:49 routes[0].plugins[0].acl.allow.consumers[2]: there is no consumer "nobody" (define it under consumers)',
    ]);
  });

  it('is an error in `deny` too: whom it means would pass', async () => {
    expect(await issues('{ deny: { consumers: [umbrela] } }')).toEqual([
      '10:36 routes[0].plugins[0].acl.deny.consumers[0]: there is no consumer "umbrela" (did you mean "umbrella"?)',
    ]);
  });

  it('is found where it has faults of its own', async () => {
    const text =
      'meshgate: 1\nconsumers: [{ name: ada, grups: [] }]\nplugins: { acl: { allow: { consumers: [ada] } } }\n';
    expect(await issuesOf(text, { catalogue: standardPlugins })).toEqual([
      expect.stringContaining('unknown key "grups"'),
    ]);
  });

  it('is looked for on the plugins of all routes and of targets', async () => {
    const text = `meshgate: 1
services: { s: { discover: { mesh: s } } }
plugins: { acl: { deny: { consumers: [x] } } }
routes: [{ name: a, to: { service: s, plugins: { acl: { deny: { consumers: [y] } } } } }]
`;
    expect(await issuesOf(text, { catalogue: standardPlugins })).toEqual([
      '3:39 plugins.acl.deny.consumers[0]: there is no consumer "x" (define it under consumers)',
      '4:77 routes[0].to.plugins.acl.deny.consumers[0]: there is no consumer "y" (define it under consumers)',
    ]);
  });

  it.each([
    ['its list is none', 'consumers: 5'],
    ['the name of one cannot be told', 'consumers: [{ name: "${NAME}" }]'],
  ])('is not looked for where %s, which is told', async (_why, consumers) => {
    const text = `meshgate: 1\n${consumers}\nplugins: { acl: { allow: { consumers: [x], groups: [y] } } }\n`;
    expect(await issuesOf(text, { catalogue: standardPlugins })).toHaveLength(1);
  });

  it('has no hint that would show a substituted name', async () => {
    const text =
      'meshgate: 1\nconsumers: [{ name: "${NAME}", groups: ["${GROUP}"] }]\nplugins: { acl: { deny: { consumers: [adam], groups: [golds] } } }\n';
    const env = { NAME: 'adama', GROUP: 'gold' };
    expect(await issuesOf(text, { catalogue: standardPlugins, env })).toEqual([
      '3:39 plugins.acl.deny.consumers[0]: there is no consumer "adam" (define it under consumers)',
      expect.not.stringContaining('did you mean'),
    ]);
    const right = text.replace('adam', 'adama').replace('golds', 'gold');
    expect(await issuesOf(right, { catalogue: standardPlugins, env })).toEqual([]);
  });
});

describe('a group that acl names', () => {
  it('is warned of where no consumer has it, with the nearest name', async () => {
    expect(
      await issues('{ allow: { groups: [gold, glod] }, deny: { groups: [nogroup] } }'),
    ).toEqual([
      '10:40 routes[0].plugins[0].acl.allow.groups[1]: warning: no consumer is in the group "glod" (did you mean "gold"?)',
      '10:66 routes[0].plugins[0].acl.deny.groups[0]: warning: no consumer is in the group "nogroup" (give it to a consumer, or take it out)',
    ]);
  });
});

describe('what all nodes share', () => {
  it('is checked against the consumers that come with it', async () => {
    const document = (names: string): string =>
      JSON.stringify({
        services: {},
        consumers: [{ name: 'acme', groups: [] }],
        plugins: [{ acl: { allow: { consumers: [names] } } }],
        routes: [],
        certificates: {},
      });
    const load = (names: string): ReturnType<typeof loadText> =>
      loadText('meshgate: 1\n', {
        catalogue: standardPlugins,
        shared: { name: 'version 7', json: document(names) },
      });
    expect((await load('acme')).ok).toBe(true);
    expect(await load('acne')).toMatchObject({
      ok: false,
      issues: [
        {
          file: 'version 7',
          path: 'plugins[0].acl.allow.consumers[0]',
          hint: 'did you mean "acme"?',
        },
      ],
    });
  });
});

describe('a plugin of any author', () => {
  const escort = definePlugin({
    name: 'escort',
    config: Type.Object({ by: Type.Optional(Type.Array(Type.String())), team: Type.String() }),
    stage: 'shape',
    references: ({ by = [], team }) => [
      ...by.map((name, i) => ({ path: `by[${i}]`, to: 'consumer' as const, name })),
      { path: 'team', to: 'group', name: team },
    ],
    create: () => ({}),
  });
  const catalogue = new Map<string, PluginDefinition>([[escort.name, escort]]);

  it('says by `references` what it refers to', async () => {
    const text =
      'meshgate: 1\nconsumers: [{ name: ada, groups: [blue] }]\nplugins: { escort: { by: [ada, bob], team: red } }\n';
    expect(await issuesOf(text, { catalogue })).toEqual([
      '3:32 plugins.escort.by[1]: there is no consumer "bob" (define it under consumers)',
      '3:44 plugins.escort.team: warning: no consumer is in the group "red" (give it to a consumer, or take it out)',
    ]);
  });
});
