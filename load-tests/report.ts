/** Results as text, as JSON, and as tables in the documentation. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toMachineLine, type Machine } from './machine.ts';
import type { ScenarioResult } from './scenarios/scenario.ts';

export interface NamedResult extends ScenarioResult {
  readonly name: string;
  readonly summary: string;
}

export interface Report {
  readonly date: string;
  readonly machine: Machine;
  readonly settings: { readonly rounds: number; readonly seconds: number };
  readonly results: readonly NamedResult[];
}

export async function writeJson(file: string, report: Report): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** Puts each table between its own marks, and leaves the rest of the document as it is. */
export async function updateDocument(file: string, report: Report): Promise<void> {
  let document = await readFile(file, 'utf8');
  for (const result of report.results) {
    document = replaceSection(document, result.name, toSection(report, result));
  }
  await writeFile(file, document);
}

/**
 * @throws {Error} where the document has no place for it: `<!-- bench:NAME -->` and
 * `<!-- /bench:NAME -->`, each on a line of its own.
 */
export function replaceSection(document: string, name: string, content: string): string {
  const opening = `<!-- bench:${name} -->\n`;
  const closing = `<!-- /bench:${name} -->`;
  const begin = document.indexOf(opening);
  const end = document.indexOf(closing, begin);
  if (begin === -1 || end === -1) throw new Error(`the document has no place for ${name}`);
  return document.slice(0, begin + opening.length) + content + document.slice(end);
}

/** The first row has the titles; all columns but the first are figures. */
export function toMarkdownTable([titles, ...rows]: readonly (readonly string[])[]): string {
  if (titles === undefined) return '';
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = titles.map((_, column) => (column === 0 ? '---' : '---:'));
  return `${[titles, rule, ...rows].map(line).join('\n')}\n`;
}

/** For a terminal, with aligned columns. */
export function toPlainTable(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ');
  return table.map(line).join('\n');
}

function toSection({ date, machine, settings }: Report, result: NamedResult): string {
  const { rounds, seconds } = settings;
  const { summary, table, notes, failures } = result;
  return [
    summary,
    toMarkdownTable(table).trimEnd(),
    ...notes,
    ...failures.map((failure) => `**Not valid: ${failure}.**`),
    `<sub>${date.slice(0, 10)}, ${rounds} rounds of ${seconds} s. ${toMachineLine(machine)}</sub>`,
  ]
    .filter((part) => part !== '')
    .map((part) => `${part}\n`)
    .join('\n');
}
