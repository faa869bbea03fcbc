/** Parses YAML into nodes that know where they stand. */
import { LineCounter, parseDocument, type Document } from 'yaml';

export interface YamlTree {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

export function parseYamlTree(text: string): YamlTree {
  const lines = new LineCounter();
  // Duplicate keys are found when it is read: the parser's own search is quadratic.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    version: '1.2',
  });
  return { document, lines };
}
