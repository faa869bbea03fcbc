import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { toConfigurationPage } from '../../../config/configuration-page.ts';
import { toJsonSchema } from '../../../src/gateway/config/json-schema.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';

const ROOT = new URL('../../../', import.meta.url);

const schema = toJsonSchema(standardPlugins);
const validate = new Ajv({ strict: false }).compile(schema as object);

describe('the schema for editors', () => {
  it('is the one in config/meshgate.schema.json; run `npm run generate`', async () => {
    const written = await readFile(new URL('config/meshgate.schema.json', ROOT), 'utf8');
    expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it('accepts the complete example', async () => {
    const text = await readFile(new URL('config/examples/complete.yaml', ROOT), 'utf8');
    validate(parse(text));
    expect(validate.errors).toBeNull();
  });

  it.each([
    ['an unknown key', { meshgate: 1, nod: {} }],
    ['an unknown plugin', { meshgate: 1, plugins: [{ nothing: {} }] }],
    ['a wrong value', { meshgate: 1, services: { a: { protocol: 'h3' } } }],
    ['a wrong duration', { meshgate: 1, routes: [{ name: 'a', timeout: '5 s' }] }],
    ['a missing name', { meshgate: 1, routes: [{ to: 's' }] }],
    ['a missing version', {}],
  ])('marks %s', (_, document) => {
    expect(validate(document)).toBe(false);
  });

  it('accepts a substitution in place of numbers, truth values and patterns', () => {
    const document = {
      meshgate: 1,
      routes: [{ name: '${N}', priority: '${P}', timeout: '${T}', allowEncodedSlash: '${A}' }],
    };
    validate(document);
    expect(validate.errors).toBeNull();
  });

  it('describes every key, and gives nothing of its making away', () => {
    const text = JSON.stringify(schema);
    expect(text).not.toMatch(/~kind|~optional|meshgate:/);
    const silent: string[] = [];
    visit(schema, '', (key, property) => {
      // Plugins are described by their own schemas.
      if (!/definitions/.test(key) && property['description'] === undefined) silent.push(key);
    });
    expect(silent).toEqual([]);
  });
});

describe('the reference', () => {
  it('is the one in docs/configuration.md; run `npm run generate`', async () => {
    const written = await readFile(new URL('docs/configuration.md', ROOT), 'utf8');
    expect(written).toBe(await toConfigurationPage());
  });
});

type Schema = Readonly<Record<string, unknown>>;

function visit(
  value: unknown,
  path: string,
  onProperty: (key: string, schema: Schema) => void,
): void {
  if (typeof value !== 'object' || value === null) return;
  const { properties } = value as Schema;
  if (typeof properties === 'object' && properties !== null) {
    for (const [key, property] of Object.entries(properties as Readonly<Record<string, Schema>>)) {
      onProperty(`${path}/${key}`, property);
    }
  }
  for (const [key, member] of Object.entries(value)) visit(member, `${path}/${key}`, onProperty);
}
