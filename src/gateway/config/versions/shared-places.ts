/** Where the values of a shared document stand in its YAML, of which no more is read than has to be. */
import type { ConfigPath } from '../config-path.ts';
import { readSourceDocument, type Position, type SourceDocument } from '../source-document.ts';
import { AS_WRITTEN } from '../substitute.ts';
import type { SharedDocument } from './shared-document.ts';
import { sharedYamlEntries, toSharedYaml } from './shared-yaml.ts';

interface PlacedEntry {
  /** As a document of its own, which has this entry alone. */
  readonly text: string;
  /** By how much its lines are further down in the whole one. */
  readonly linesAbove: number;
}

/** As `locate` of a `SourceDocument` of the whole YAML. */
export function createSharedPlaces(document: SharedDocument): Pick<SourceDocument, 'locate'> {
  let entries: ReadonlyMap<string, PlacedEntry> | undefined;
  let whole: SourceDocument | undefined;
  const read = (text: string): SourceDocument =>
    readSourceDocument(text, AS_WRITTEN, () => undefined);
  let last: { readonly key: string; readonly source: SourceDocument } | undefined;
  return {
    locate(path, at): Position {
      entries ??= placeEntries(document);
      const [list, step, ...below] = path;
      const key = JSON.stringify([list, step]);
      const entry = entries.get(key);
      if (entry === undefined) return (whole ??= read(toSharedYaml(document))).locate(path, at);
      if (last?.key !== key) last = { key, source: read(entry.text) };
      const own: ConfigPath = [list!, typeof step === 'number' ? 0 : step!, ...below];
      const { line, column } = last.source.locate(own, at);
      return { line: line + entry.linesAbove, column };
    },
  };
}

function placeEntries(document: SharedDocument): ReadonlyMap<string, PlacedEntry> {
  const entries = new Map<string, PlacedEntry>();
  let lines = 0;
  for (const { list, step, text } of sharedYamlEntries(document)) {
    if (step !== undefined) {
      const own = `${list}:\n${text}`;
      entries.set(JSON.stringify([list, step]), { text: own, linesAbove: lines - 1 });
    }
    lines += countLines(text);
  }
  return entries;
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
