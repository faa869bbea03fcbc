/** Whether a text of YAML is read as a whole, or but for what was read before, is nobody's to notice. */
import { array, assert, boolean, constantFrom, property, record, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFileKeys } from '../../../src/gateway/config/entry-key.ts';
import { KnownItem, KnownItems } from '../../../src/gateway/config/known-items.ts';
import {
  readSourceDocument,
  readYamlDocument,
  type SourceDocument,
} from '../../../src/gateway/config/source-document.ts';
import { createSubstituter } from '../../../src/gateway/config/substitute.ts';
import { listTextsOf } from '../../../src/gateway/config/yaml-items.ts';
import { generatedRuns, GENERATED_SEED } from '../../generated-runs.ts';

const substituter = createSubstituter({
  env: { SET: 'value' },
  directory: '/',
  readText: () => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  },
});

const LISTS = ['routes', 'consumers'] as const;

/** Reads texts one after the other, as the thread does that loads them. */
class Reader {
  readonly #known = new KnownItems();

  /** How many items were not read again. */
  lastKnown = 0;

  read(text: string): unknown {
    return seenBy((report) => {
      const document = readSourceDocument(text, substituter, report, this.#known);
      this.#learn(document);
      return { ...document, value: this.#plain(document.value) };
    });
  }

  #learn(document: SourceDocument): void {
    const { value, itemTexts } = document;
    if (itemTexts === undefined) return;
    const keyOf = createFileKeys(document);
    const keysOf = (list: (typeof LISTS)[number]): { keys: (string | undefined)[] } => {
      const items = (value as Record<string, unknown> | null)?.[list];
      return { keys: Array.isArray(items) ? items.map((one, i) => keyOf(one, list, i)) : [] };
    };
    this.#known.learn(itemTexts, { routes: keysOf('routes'), consumers: keysOf('consumers') });
  }

  #plain(value: unknown): unknown {
    this.lastKnown = 0;
    if (typeof value !== 'object' || value === null) return value;
    for (const list of LISTS) {
      const items = (value as Record<string, unknown>)[list];
      if (!Array.isArray(items)) continue;
      (value as Record<string, unknown>)[list] = items.map((one: unknown) => {
        if (!(one instanceof KnownItem)) return one;
        this.lastKnown++;
        return one.toValue();
      });
    }
    return value;
  }
}

function seenBy(
  read: (report: Parameters<typeof readSourceDocument>[2]) => SourceDocument,
): unknown {
  const reports: string[] = [];
  const document = read((...problem) => reports.push(JSON.stringify(problem)));
  return {
    value: toText(document.value),
    syntaxProblems: document.syntaxProblems,
    substitutions: [...document.substitutions].sort(([a], [b]) => (a < b ? -1 : 1)),
    unresolved: [...document.unresolved].sort(),
    reports: reports.sort(),
    places: ['routes', 'consumers', 'after'].map((key) => document.locate([key, 3, 'a'], 'value')),
  };
}

/** With what JSON cannot tell apart. */
function toText(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => {
    if (typeof one === 'number' && (!Number.isFinite(one) || Object.is(one, -0)))
      return `#${Object.is(one, -0) ? '-0' : one}`;
    if (typeof one === 'object' && one !== null && !Array.isArray(one))
      return Object.getPrototypeOf(one) === null ? { ...one } : '#prototype';
    return one;
  });
}

function seenAsWhole(text: string): unknown {
  return seenBy((report) => readYamlDocument(text, substituter, report));
}

const GOOD = [
  '- { name: a, match: [{ path: /a/* }], to: s }',
  '- name: b\n  match: { path: /b }\n  # why\n\n  to: s',
  '- c',
  '-\n  name: d',
  '- - 1\n  - 2',
  '- |\n  - a\n  - b',
  '- |+\n  text\n\n',
  '- >-\n  folded\n  text\n# and its end',
  '- "in\n  two: lines"',
  "- 'a # b' # c",
  '- { a: 1,\n    b: [2, -0, .inf, .nan, 1e400] }',
  '- !!str 7',
  '- ? key\n  : value',
  '- { "__proto__": 1, 404: x, "~": y }',
  '- { a: "${SET}", b: "$${SET}" }',
  '- ',
  '- { b: yes, d: null }',
];
const ODD = [
  '- &x { a: 1 }',
  '- *x',
  '- { <<: *x, b: 1 }',
  '- { <<: { a: 1 }, b: 1 }',
  '- "never ended',
  '- { never: ended',
  '- { a: 1, a: 2 }',
  '- { a: "${GONE}" }',
  '- { a: ${SET} }',
  '- { [1]: 2 }',
  '- "too far\nleft"',
  '- {\na: 1 }',
  '- {\n- a }',
  ' - further',
  'not: an item',
  '- tab:\there',
  '- @wrong',
  '---',
  '...',
  '%YAML 1.1',
  '- | \n wrong\nagain',
];
const BEFORE = [
  '',
  'meshgate: 1\n',
  '---\n',
  '%YAML 1.1\n---\n',
  'x: &x { a: 1 }\n',
  'x: "a\n',
  'x: |\n',
  'x: {\n',
  '# routes:\n',
  'routes: []\n',
  'x: ${SET}\n',
];
const AFTER = [
  '',
  'after: [1, 2]\n',
  'x: *x\n',
  '"\n',
  '}\n',
  'routes: [1]\n',
  '# end',
  '...\n',
  'a\n',
];

const good = constantFrom(...GOOD);
const item = tuple(good, constantFrom(...ODD), constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)).map(
  ([one, odd, luck]) => (luck === 0 ? odd : one),
);
const items = array(item, { minLength: 0, maxLength: 12 });

const texts = record({
  before: constantFrom('', ...BEFORE),
  after: constantFrom('', '', ...AFTER),
  key: constantFrom('routes:\n', 'routes: # all\n', 'routes:\n\n# first\n'),
  indent: constantFrom('', '  ', '    '),
  routes: items,
  consumers: items,
  changes: array(tuple(constantFrom(...LISTS), constantFrom(0, 1, 2, 5, 9), item, boolean()), {
    minLength: 1,
    maxLength: 4,
  }),
}).map(({ before, after, key, indent, changes, ...first }) => {
  const lines = (list: readonly string[]): string =>
    list.map((one) => `${one.replace(/^(?!$)/gm, indent)}\n`).join('');
  const toDocument = ({ routes, consumers }: Record<(typeof LISTS)[number], string[]>): string =>
    `${before}${key}${lines(routes)}consumers:\n${lines(consumers)}${after}`;
  const documents = [toDocument(first)];
  let last = first;
  for (const [list, at, one, isOdd] of changes) {
    // Sometimes all else is as it should be.
    const rest = isOdd ? last[list] : last[list].filter((other) => GOOD.includes(other));
    last = { ...last, [list]: rest.toSpliced(at, 1, one) };
    documents.push(toDocument(last));
  }
  return documents;
});

const many = (count: number, change = ''): string =>
  `meshgate: 1\nroutes:\n${Array.from({ length: count }, (_, i) => `  - { name: r${i}${i === 2 ? change : ''} }\n`).join('')}after: 1\n`;

describe('a text of YAML that is read after another', () => {
  it('is read as it would be without the other, whatever is in it', () => {
    let known = 0;
    assert(
      property(texts, (documents) => {
        const reader = new Reader();
        for (const text of documents) {
          expect({ text, seen: reader.read(text) }).toEqual({ text, seen: seenAsWhole(text) });
          known += reader.lastKnown;
        }
      }),
      { numRuns: generatedRuns(300), seed: GENERATED_SEED },
    );
    expect(known).toBeGreaterThan(300);
  });

  it.each(GOOD)('knows an item again beside one that has changed: %j', (one) => {
    const reader = new Reader();
    const toDocument = (last: number): string =>
      `routes:\n${[one, '- v', '- w', '- x', '- y', '- z', '- t', '- u', `- ${last}`].map((each) => `${each.replace(/^(?!$)/gm, '  ')}\n`).join('')}`;
    reader.read(toDocument(1));
    expect(reader.read(toDocument(2))).toEqual(seenAsWhole(toDocument(2)));
    const isForAll = !/\$\{|inf/.test(one);
    expect(reader.lastKnown).toBe(isForAll ? 8 : 7);
  });

  it('reads but what has changed', () => {
    const reader = new Reader();
    reader.read(many(100));
    expect(reader.lastKnown).toBe(0);
    reader.read(many(100, ', to: s'));
    expect(reader.lastKnown).toBe(99);
    reader.read(many(130, ', to: s'));
    expect(reader.lastKnown).toBe(100);
    reader.read(many(300));
    expect(reader.lastKnown).toBe(0);
  });

  it('remembers the last text alone', () => {
    const reader = new Reader();
    reader.read(many(100));
    reader.read(many(100, ', to: s'));
    reader.read(many(100));
    expect(reader.lastKnown).toBe(99);
  });
});

describe('items by their lines', () => {
  it('end where a line is not within the list', () => {
    expect(listTextsOf('routes:\n# a\n  - a\n\n   b\n  - c\n # d\ne: f\n')).toEqual([
      {
        list: 'routes',
        indent: 2,
        start: 12,
        end: 35,
        items: ['  - a\n\n   b\n', '  - c\n # d\n'],
      },
    ]);
  });

  it.each(['routes: []\n', 'routes:\n', ' routes:\n  - a\n', 'routes:\n  a: b\n', 'x:\n  - a\n'])(
    'are none in %j',
    (text) => {
      expect(listTextsOf(text)).toEqual([]);
    },
  );
});
