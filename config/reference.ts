/** Turns the configuration's schema into its reference: a table for every mapping that may stand in it. */
import type { PluginCatalogue } from '../src/gateway/config/plugin-catalogue.ts';
import { Document } from '../src/gateway/config/schema/document.ts';

type Schema = { readonly [keyword: string]: unknown };

interface Section {
  readonly title: string;
  readonly schema: Schema;
}

/** A pattern tells a machine; these tell people, by the first example beside it. */
const NAMED_BY_EXAMPLE: Readonly<Record<string, string>> = {
  '250ms': 'duration',
  '64KiB': 'size',
  '127.0.0.1:8080': 'address',
  orders: 'name',
  '/': 'path',
};

/** The document's own sections, in the order of its keys. */
export function toDocumentReference(): string {
  return toSections('', plain(Document)).map(toMarkdown).join('\n');
}

/** One section for each plugin and its settings. */
export function toPluginReference(catalogue: PluginCatalogue): string {
  return [...catalogue.values()]
    .flatMap((plugin) => {
      const [first, ...rest] = toSections(`plugins[].${plugin.name}`, plain(plugin.config));
      const link = `See [its own page](../src/plugins/${plugin.name}/README.md).\n`;
      return first === undefined ? [] : [`${toMarkdown(first)}\n${link}`, ...rest.map(toMarkdown)];
    })
    .join('\n');
}

/** Sections of a schema and of every mapping below it; one that stands in several places is told once. */
function toSections(title: string, schema: Schema): Section[] {
  const sections: Section[] = [];
  const seen = new Set<string>();
  const visit = (name: string, candidate: Schema): void => {
    const properties = propertiesOf(candidate);
    if (properties !== undefined) {
      const key = JSON.stringify(candidate);
      if (!seen.has(key)) {
        seen.add(key);
        sections.push({ title: name, schema: candidate });
        for (const [member, below] of Object.entries(properties)) {
          visit(name === '' ? member : `${name}.${member}`, below);
        }
      }
    }
    for (const branch of branchesOf(candidate)) visit(name, branch);
    if (isSchema(candidate['items'])) visit(`${name}[]`, candidate['items']);
    const values = recordValues(candidate);
    if (values !== undefined) visit(`${name}.<name>`, values);
  };
  visit(title, schema);
  return sections;
}

function toMarkdown({ title, schema }: Section): string {
  const heading = title === '' ? '## The file' : `## \`${title}\``;
  const { description } = schema;
  const intro = typeof description === 'string' ? `${description}\n\n` : '';
  const required = new Set(schema['required'] as readonly string[] | undefined);
  const rows = Object.entries(propertiesOf(schema) ?? {}).map(([key, property]) => {
    const isRequired = required.has(key) && property['default'] === undefined;
    return toRow([
      `\`${key}\``,
      toTypeText(property),
      isRequired ? '**required**' : toDefaultText(property['default']),
      typeof property['description'] === 'string' ? property['description'] : '',
    ]);
  });
  const table = ['| key | type | default | meaning |', '| --- | --- | --- | --- |', ...rows];
  return `${heading}\n\n${intro}${table.join('\n')}\n`;
}

function toRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function toDefaultText(value: unknown): string {
  if (value === undefined) return '';
  const isEmpty = typeof value === 'object' && Object.keys(value as object).length === 0;
  return isEmpty && !Array.isArray(value) ? '' : `\`${JSON.stringify(value)}\``;
}

function toTypeText(schema: Schema): string {
  if (typeof schema['$ref'] === 'string') return 'list of [plugins](#plugins)';
  const values = schema['enum'] ?? (schema['const'] === undefined ? undefined : [schema['const']]);
  if (Array.isArray(values)) {
    return [...new Set(values.map((value) => `\`${String(value)}\``))].join(', ');
  }
  const branches = branchesOf(schema);
  if (branches.length > 0) return [...new Set(branches.map(toTypeText))].join(' or ');
  const { type, examples } = schema;
  const named = Array.isArray(examples) ? NAMED_BY_EXAMPLE[String(examples[0])] : undefined;
  if (named !== undefined) return named;
  if (type === 'array') {
    return isSchema(schema['items']) ? `list of ${toTypeText(schema['items'])}` : 'list';
  }
  if (type !== 'object') return typeof type === 'string' ? typeName(type) : 'anything';
  const record = recordValues(schema);
  return record === undefined ? 'mapping' : `mapping of names to ${toTypeText(record)}`;
}

function typeName(type: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    integer: 'whole number',
    boolean: '`true`, `false`',
  };
  return names[type] ?? type;
}

function propertiesOf(schema: Schema): Readonly<Record<string, Schema>> | undefined {
  const { properties } = schema;
  return isSchema(properties) && Object.keys(properties).length > 0
    ? (properties as Readonly<Record<string, Schema>>)
    : undefined;
}

/** What a mapping with free keys holds. */
function recordValues(schema: Schema): Schema | undefined {
  const patterns = schema['patternProperties'];
  const [values] = isSchema(patterns) ? Object.values(patterns) : [];
  return isSchema(values) ? values : undefined;
}

function branchesOf(schema: Schema): readonly Schema[] {
  return Array.isArray(schema['anyOf']) ? (schema['anyOf'] as readonly Schema[]) : [];
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Typebox keeps marks of its own beside the schema, which JSON leaves out. */
function plain(schema: object): Schema {
  return JSON.parse(JSON.stringify(schema)) as Schema;
}
