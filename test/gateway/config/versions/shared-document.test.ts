import { describe, expect, it } from 'vitest';
import {
  EMPTY_DOCUMENT,
  fromCanonicalJson,
  hashDocument,
  ownsSharedPart,
  parseSharedDocument,
  toCanonicalJson,
  type SharedDocument,
} from '../../../../src/gateway/config/versions/shared-document.ts';
import { toSharedYaml } from '../../../../src/gateway/config/versions/shared-yaml.ts';
import { parseYaml } from '../../../../src/gateway/config/yaml-text.ts';

function parse(value: unknown): SharedDocument {
  const parsed = parseSharedDocument(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
}

function parseText(yaml: string): SharedDocument {
  const reading = parseYaml(yaml);
  if (!reading.ok) throw new Error(`${reading.problems.join('\n')}\n${yaml}`);
  return parse(reading.value);
}

function problemsOf(value: unknown): string[] {
  const parsed = parseSharedDocument(value);
  return parsed.ok
    ? []
    : parsed.problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** Values that YAML could take for something else. */
const ODD_TEXTS = [
  '',
  ' ',
  'yes',
  'null',
  '~',
  '1.0',
  '0x1F',
  '1e3',
  '.inf',
  '2024-01-01',
  '12:30:45',
  '<<',
  '*alias',
  '&anchor',
  '!tag',
  '# no comment',
  'a: b',
  '- a',
  '{',
  '%directive',
  '@at',
  '`tick',
  '---',
  '...',
  'trailing ',
  ' leading',
  'line\nbreak',
  'ends in one\n',
  'and in two\n\n',
  '\n',
  'tab\tand\rreturn',
  '\u0000\u0007\u001b\u0085\u2028\u2029\uFEFF',
  '🙂 ü 漢',
  '\ud800',
  '"quoted" and \'quoted\'',
  '\\back\\slash',
  '${VAR:-default} $${x}',
  'x'.repeat(2_000),
  'words '.repeat(100),
];

describe('a shared document', () => {
  it('has the same text and hash in whatever order its mappings were written', () => {
    const one = { services: { b: { endpoints: [], protocol: 'h2c' }, a: {} }, routes: [] };
    const other = { services: { a: {}, b: { protocol: 'h2c', endpoints: [] } }, consumers: [] };
    expect(toCanonicalJson(parse(one))).toBe(
      '{"consumers":[],"plugins":[],"routes":[],"services":{"a":{},"b":{"endpoints":[],"protocol":"h2c"}}}',
    );
    expect(hashDocument(parse(one))).toBe(hashDocument(parse(other)));
  });

  it('sorts keys that look like numbers as texts', () => {
    const document = parse({ services: { 10: {}, 9: {}, a: { 2: 'two', 10: 'ten' } } });
    expect(toCanonicalJson(document)).toContain(
      '"services":{"10":{},"9":{},"a":{"10":"ten","2":"two"}}',
    );
  });

  it('is another one where routes or plugins stand in another order', () => {
    const routes = [{ name: 'a' }, { name: 'b' }];
    expect(hashDocument(parse({ routes }))).not.toBe(
      hashDocument(parse({ routes: routes.toReversed() })),
    );
    const plugins = { jwt: {}, cors: {} };
    expect(parse({ plugins }).plugins).toEqual([{ jwt: {} }, { cors: {} }]);
    expect(hashDocument(parse({ plugins }))).not.toBe(
      hashDocument(parse({ plugins: { cors: {}, jwt: {} } })),
    );
  });

  it('keeps the order of plugins of routes and targets, which may be written as mappings', () => {
    const to = { service: 's', plugins: { z: 1, a: 2 } };
    const { routes } = parse({
      routes: [
        { plugins: { jwt: {}, cors: {} }, to },
        { to: [to, 's'] },
        { to: 's', plugins: [{ jwt: {} }] },
      ],
    });
    const target = { service: 's', plugins: [{ z: 1 }, { a: 2 }] };
    expect(routes).toEqual([
      { plugins: [{ jwt: {} }, { cors: {} }], to: target },
      { to: [target, 's'] },
      { to: 's', plugins: [{ jwt: {} }] },
    ]);
  });

  it('is empty where nothing was written', () => {
    expect(parse({})).toEqual(EMPTY_DOCUMENT);
    expect(hashDocument(parse({ meshgate: 1, routes: [] }))).toBe(hashDocument(EMPTY_DOCUMENT));
  });

  it('has the hash that it had before there were certificates, where it has none', () => {
    const before = '{"consumers":[],"plugins":[],"routes":[],"services":{"a":{}}}';
    expect(toCanonicalJson(parse({ services: { a: {} } }))).toBe(before);
    expect(fromCanonicalJson(before)).toEqual({ ...EMPTY_DOCUMENT, services: { a: {} } });
  });

  it('has its certificates by name', () => {
    const certificates = { b: { key: 'k', cert: 'c' }, a: {} };
    const json = toCanonicalJson(parse({ certificates }));
    expect(json).toBe(
      '{"certificates":{"a":{},"b":{"cert":"c","key":"k"}},"consumers":[],"plugins":[],"routes":[],"services":{}}',
    );
    expect(fromCanonicalJson(json)).toEqual({ ...EMPTY_DOCUMENT, certificates });
  });

  it('says all that is wrong with its shape', () => {
    expect(problemsOf([])).toEqual([
      ': must be a mapping with services, routes, consumers, plugins and certificates',
    ]);
    expect(
      problemsOf({
        listeners: [],
        services: [],
        routes: ['a', { priority: Number.NaN, at: new Date(0), f: () => 1 }],
      }),
    ).toEqual([
      'listeners: is a part of its own of each node: it belongs in the file of the node',
      'services: must be a mapping',
      'routes.0: must be a mapping',
      'routes.1.priority: is no value that JSON has',
      expect.stringContaining('routes.1.f: is no value'),
    ]);
  });

  it('takes keys for keys, whatever they are called', () => {
    const document = parse(JSON.parse('{"services":{"__proto__":{"a":1},"constructor":{}}}'));
    expect(toCanonicalJson(document)).toContain('{"__proto__":{"a":1},"constructor":{}}');
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  it('refuses what is nested without end', () => {
    const loop: Record<string, unknown> = {};
    loop['loop'] = loop;
    expect(problemsOf({ services: { loop } }).join()).toContain('nested too deeply');
  });

  it('tells whether a file owns it', () => {
    expect(ownsSharedPart({ meshgate: 1, listeners: [] })).toBe(false);
    expect(ownsSharedPart({ meshgate: 1, routes: [] })).toBe(true);
    expect(ownsSharedPart({ consumers: null })).toBe(true);
    expect(ownsSharedPart(null)).toBe(false);
  });
});

describe('the text of a shared document', () => {
  it('is YAML for people, the same for the same document', () => {
    const one = parse({
      services: { b: {}, a: { protocol: 'h2c' } },
      plugins: { jwt: {}, cors: {} },
    });
    const text = toSharedYaml(one);
    expect(text).toBe(`meshgate: 1
services:
  a:
    protocol: h2c
  b: {}
plugins:
  - jwt: {}
  - cors: {}
`);
    expect(
      toSharedYaml(
        parse({
          plugins: [{ jwt: {} }, { cors: {} }],
          services: { a: { protocol: 'h2c' }, b: {} },
        }),
      ),
    ).toBe(text);
  });

  it.each(ODD_TEXTS)('reads back %j, as a value and as a key', (text) => {
    const document = parse({
      services: { [text]: { [text]: text, list: [text, [text]] } },
      routes: [{ name: text, respond: { body: text } }],
    });
    const yaml = toSharedYaml(document);
    const read = parseText(yaml);
    expect(hashDocument(read)).toBe(hashDocument(document));
    expect(toSharedYaml(read)).toBe(yaml);
  });

  it('reads back numbers as they were', () => {
    const numbers = [0, -0, 1, -1, 0.1, 1e21, 1e-7, 123_456_789_012, Number.MAX_SAFE_INTEGER];
    const document = parse({ services: { s: { numbers, yes: true, no: false, nothing: null } } });
    expect(hashDocument(parseText(toSharedYaml(document)))).toBe(hashDocument(document));
  });

  it('leaves substitutions as they are written', () => {
    const read = parseText('services: { s: { key: "${KEY}", file: "${file:/run/x}" } }');
    expect(read).toMatchObject({ services: { s: { key: '${KEY}', file: '${file:/run/x}' } } });
  });
});
