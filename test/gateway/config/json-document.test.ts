/** Whether a file is read as JSON or as YAML is nobody's to notice, but for the time it takes. */
import {
  array,
  assert,
  constantFrom,
  dictionary,
  integer,
  jsonValue,
  letrec,
  oneof,
  property,
  string,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigPath } from '../../../src/gateway/config/config-path.ts';
import type { ReportProblem } from '../../../src/gateway/config/issue.ts';
import { readJsonDocument } from '../../../src/gateway/config/json-document.ts';
import {
  readSourceDocument,
  readYamlDocument,
  type SourceDocument,
} from '../../../src/gateway/config/source-document.ts';
import { createSubstituter, type Substituter } from '../../../src/gateway/config/substitute.ts';
import { MAX_DEPTH } from '../../../src/gateway/config/tree-reader.ts';

type Reader = (text: string, substitution: Substituter, report: ReportProblem) => SourceDocument;

const substituter = createSubstituter({
  env: { SET: 'value' },
  directory: '/',
  readText: () => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  },
});

function seenBy(read: Reader, text: string): unknown {
  const reports: string[] = [];
  const report = (path: ConfigPath, message: string, options: object = {}): void => {
    reports.push(JSON.stringify([path, message, options]));
  };
  const document = read(text, substituter, report);
  return {
    value: toJson(document.value),
    plain: document.value === undefined || hasNoPrototypes(document.value),
    syntaxProblems: document.syntaxProblems,
    substitutions: [...document.substitutions].sort(([a], [b]) => (a < b ? -1 : 1)),
    unresolved: [...document.unresolved].sort(),
    reports: reports.sort(),
    places: placesOf(document),
  };
}

/** With what JSON cannot tell apart. */
function toJson(value: unknown): string | undefined {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'number' && !(Number.isFinite(one) && !Object.is(one, -0))
      ? `#${Object.is(one, -0) ? '-0' : one}`
      : one,
  );
}

function hasNoPrototypes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(hasNoPrototypes);
  return Object.getPrototypeOf(value) === null && Object.values(value).every(hasNoPrototypes);
}

function placesOf(document: SourceDocument): string[] {
  return pathsWithin(document.value).flatMap((path) =>
    (['key', 'value'] as const).map((at) =>
      JSON.stringify([
        path,
        at,
        document.locate([...path, 'absent'], at),
        document.locate(path, at),
      ]),
    ),
  );
}

function pathsWithin(value: unknown, path: ConfigPath = []): ConfigPath[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, member]) =>
      pathsWithin(member, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

function isReadAsJson(text: string): boolean {
  return readJsonDocument(text, MAX_DEPTH, substituter, () => undefined) !== undefined;
}

function expectNoDifference(text: string): void {
  expect({ text, seen: seenBy(readSourceDocument, text) }).toEqual({
    text,
    seen: seenBy(readYamlDocument, text),
  });
}

const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const QUICK = [
  '{}',
  ' \n{ "a" : [ 1, -0, 1.50, 1e5, 1E-7, 1e400, true, null ] , "b":{} }\n\n',
  '{"a":"é\\u00e9\\ud83d\\ude00\\/\\"\\\\\\b\\f\\n\\r\\t\u2028\u007f\u0085"}',
  '{"__proto__": {"a": 1}, "constructor": 2, "<<": {"c": 3}, "": 4, "404": 5, "~": 6}',
  '{"a": "${SET}", "b": ["${GONE}", "$${SET}", "\\u0024{SET}", "${file:/gone}"], "c": "*x &y !z #"}',
  '{"a": {"b": 12345678901234567890, "c": 0.1, "d": 100000000000000000000000}}',
  `{"a": "x: y", "b": "\\"c\\": 1", "${'k'.repeat(2000)}": 1}`,
  nested(MAX_DEPTH),
];

const LEFT = [
  '{"a": 1, "a": 2}',
  '{"a": {"b": 1, "c": 2, "\\u0062": 3}}',
  '{\t"a": 1}',
  '{"a": 1,\r\n"b": 2}',
  '{"a": 1,}',
  '{"a": 1} # why',
  '{a: 1}',
  '[1]',
  '"a"',
  '{"a": 1}{"b": 2}',
  '{"a":\n',
  '',
  nested(MAX_DEPTH + 1),
  nested(5000),
];

describe('readSourceDocument, of JSON', () => {
  it.each(QUICK)('takes the quick way, and finds the same: %j', (text) => {
    expect(isReadAsJson(text)).toBe(true);
    expectNoDifference(text);
  });

  it.each(LEFT)('leaves it to the reader of YAML: %#', (text) => {
    expect(isReadAsJson(text)).toBe(false);
    expectNoDifference(text);
  });

  it('finds the same in what any program may write', () => {
    const text = oneof(
      string(),
      string({ unit: 'binary', maxLength: 8 }),
      constantFrom('${SET}', '${X}'),
    );
    const { tree } = letrec((tie) => ({
      tree: oneof(
        { maxDepth: 4 },
        text,
        jsonValue(),
        array(tie('tree'), { maxLength: 4 }),
        dictionary(text, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    assert(
      property(
        dictionary(text, tree, { maxKeys: 5 }),
        integer({ min: 0, max: 4 }),
        (value, spaces) => {
          const json = JSON.stringify(value, undefined, spaces);
          expect(isReadAsJson(json)).toBe(true);
          expectNoDifference(json);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('finds the same in any text of the characters that mean something', () => {
    const piece = constantFrom(
      ...'{|}|[|]|,|:|"|"a"|"b"|1|-|e5|\n| |\\|#|null|"a":1|\t|\r\n'.split('|'),
    );
    assert(
      property(array(piece, { maxLength: 16 }), (pieces) =>
        expectNoDifference(`{${pieces.join('')}}`),
      ),
      { numRuns: 2000 },
    );
  });
});
