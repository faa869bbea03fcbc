import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { toSharedYaml } from '../../../../src/gateway/config/versions/shared-yaml.ts';
import { hashDocument } from '../../../../src/gateway/config/versions/shared-document.ts';
import { parseYaml, readYaml } from '../../../../src/gateway/config/yaml-text.ts';
import { documentOf } from '../shared-document-fixture.ts';

async function readBack(text: string): Promise<string> {
  const reading = await readYaml(text);
  if (!reading.ok) throw new Error(reading.problems.join('\n'));
  return hashDocument(documentOf(reading.value));
}

const TEXTS = [
  '',
  ' ',
  'a b',
  '- x',
  'a: b',
  '# c',
  'a #b',
  '~',
  'null',
  'Yes',
  'no',
  'on',
  'y',
  'true',
  '1e3',
  '0x1f',
  '0o7',
  '1_000',
  '12:30:45',
  '.inf',
  '2020-01-01',
  '10',
  '5s',
  '5 s',
  '64KiB',
  '127.0.0.1:80',
  '10.0.0.0/8',
  '[::1]:80',
  '/a/*',
  '*.x.test',
  '&a',
  '!a',
  '%a',
  '@a',
  '`a',
  '{a}',
  '[a]',
  'a,b',
  '"',
  "'",
  '${VAR:-x y}',
  '$${x}',
  'a\nb\n',
  '\n',
  ' lead',
  'trail ',
  '\ttab',
  'a\r\nb',
  '\u2028',
  '\u0085',
  '\ufeff',
  '\u0007',
  'é',
  '日本',
  '😀',
  '<<',
  '=',
  '?',
  '? a',
  '|',
  '>',
  '---',
  '...',
  'a:',
  ':a',
  'https://x.test/?a=b#c',
];

describe('a document as YAML', () => {
  it('is the same document again, whatever texts are in it', async () => {
    const document = documentOf({
      services: Object.fromEntries(
        TEXTS.map((text) => [text, { [text]: text, list: [text, [text]] }]),
      ),
      routes: TEXTS.map((name) => ({
        name,
        empty: {},
        none: [],
        nothing: null,
        deep: [[{ a: [1] }]],
      })),
      consumers: [{ name: 'n', number: 1.5, large: 1e21, yes: true }],
      certificates: { a: { cert: '-----BEGIN\nx\n', key: '${file:/k}' } },
      plugins: [{ cors: {} }, { headers: { request: { set: { a: 'b' } } } }],
    });
    const text = toSharedYaml(document);
    expect(await readBack(text)).toBe(hashDocument(document));
    expect(parse(text)).toEqual({ meshgate: 1, ...document });
  });

  it('has the same bytes for the same document', async () => {
    const one = documentOf({ services: { b: { x: 1, a: 2 }, a: {}, '10': {}, '9': {} } });
    const other = documentOf({ services: { '9': {}, a: {}, '10': {}, b: { a: 2, x: 1 } } });
    expect(toSharedYaml(one)).toBe(toSharedYaml(other));
  });

  it('reads well', async () => {
    expect(
      toSharedYaml(
        documentOf({
          services: { orders: { endpoints: [{ address: '127.0.0.1:3001', weight: 2 }] } },
          routes: [
            { name: 'orders', to: 'orders', match: [{ path: '/orders/*', hosts: ['a.test'] }] },
          ],
        }),
      ),
    ).toBe(`meshgate: 1
services:
  orders:
    endpoints:
      - address: 127.0.0.1:3001
        weight: 2
routes:
  - match:
      - hosts:
          - a.test
        path: /orders/*
    name: orders
    to: orders
`);
  });

  it('is what the complete example was', async () => {
    const file = new URL('../../../../config/examples/complete.yaml', import.meta.url);
    const { services, routes, consumers, plugins } = parse(await readFile(file, 'utf8')) as Record<
      string,
      unknown
    >;
    const document = documentOf({ services, routes, consumers, plugins });
    expect(await readBack(toSharedYaml(document))).toBe(hashDocument(document));
  });
});

describe('YAML that came over the network', () => {
  it('keeps substitutions as they are written', () => {
    expect(parseYaml('a: ${X}\nb: $${Y}\nc: "${file:/etc/passwd}"')).toEqual({
      ok: true,
      value: { a: '${X}', b: '$${Y}', c: '${file:/etc/passwd}' },
    });
  });

  it('tells all that is wrong with it', () => {
    expect(parseYaml('a: 1\na: 2\nb: {x: 1, x: 2}')).toEqual({
      ok: false,
      problems: [
        expect.stringContaining('"a" stands here twice'),
        expect.stringContaining('"x" stands here twice'),
      ],
    });
    expect(parseYaml('a: [')).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/^line /)],
    });
    const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i++) bomb.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`);
    expect(parseYaml(bomb.join('\n'))).toMatchObject({
      ok: false,
      problems: [expect.stringContaining('too large')],
    });
  });

  it('is read in a thread of its own where it is long', async () => {
    const routes = Array.from({ length: 3_000 }, (_, i) => ({ name: `route-${i}`, to: 'orders' }));
    const document = documentOf({ routes });
    const text = toSharedYaml(document);
    expect(text.length).toBeGreaterThan(2 * 1024);
    expect(await readBack(text)).toBe(hashDocument(document));
    expect(await readYaml(`${text}\nx: [`)).toMatchObject({ ok: false });
  });
});
