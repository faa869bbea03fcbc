/** The part of a configuration file that all nodes share, as it is sent to the admin API. */
import { resolve } from 'node:path';
import { parsePointer, toPathText } from '../gateway/config/config-path.ts';
import { toReadFailure } from '../gateway/config/file-failure.ts';
import { toIssueText, type ConfigIssue, type Problem } from '../gateway/config/issue.ts';
import { readConfigFile } from '../gateway/config/read-config-file.ts';
import { readSourceDocument, type Position } from '../gateway/config/source-document.ts';
import { AS_WRITTEN } from '../gateway/config/substitute.ts';
import {
  ownsSharedPart,
  parseSharedDocument,
  SHARED_KEYS,
} from '../gateway/config/versions/shared-document.ts';
import { toFaultText, type AdminFault } from './admin-failure.ts';
import type { VerbIo } from './verb.ts';

export interface SharedFile {
  /** As it is written: `${…}` is for each node to substitute. */
  readonly document: Readonly<Record<string, unknown>>;
  /** What the API says of the document, at its place in the file. */
  toFaultLine(fault: AdminFault, severity: 'error' | 'warning'): string;
}

/** Undefined where it cannot be used, which standard error tells in full. */
export async function readSharedFile(file: string, io: VerbIo): Promise<SharedFile | undefined> {
  const refuse = (issues: readonly ConfigIssue[]): undefined => {
    for (const issue of issues) io.stderr.write(`${toIssueText(issue)}\n`);
  };
  const at = (place: Position, path: string, message: string, hint?: string): ConfigIssue => {
    const issue = { severity: 'error', file, ...place, path, message } as const;
    return hint === undefined ? issue : { ...issue, hint };
  };
  const START = { line: 1, column: 1 };
  let text: string;
  try {
    text = await readConfigFile(resolve(io.cwd, file));
  } catch (error) {
    return refuse([at(START, '', toReadFailure(error))]);
  }
  const problems: Problem[] = [];
  const source = readSourceDocument(
    text,
    AS_WRITTEN,
    (path, message, { at: part = 'value', hint } = {}) => {
      problems.push({ severity: 'error', path, at: part, message, hint });
    },
  );
  const { value, syntaxProblems } = source;
  if (syntaxProblems.length > 0) {
    return refuse(syntaxProblems.map(({ message, ...place }) => at(place, '', message)));
  }
  // Else a file of a node's own part alone would remove everything that all nodes share.
  if (!ownsSharedPart(value)) {
    return refuse([
      at(
        START,
        '',
        `it has none of ${SHARED_KEYS.join(', ')}`,
        'to remove all that is shared, write `routes: []`',
      ),
    ]);
  }
  const document = sharedPartOf(value as Readonly<Record<string, unknown>>);
  const parsed = parseSharedDocument(document);
  if (!parsed.ok) {
    for (const { path, message } of parsed.problems) {
      problems.push({ severity: 'error', path, at: 'value', message });
    }
  }
  if (problems.length > 0) {
    return refuse(
      problems.map(({ path, at: part, message, hint }) =>
        at(source.locate(path, part), toPathText(path), message, hint),
      ),
    );
  }
  return {
    document,
    toFaultLine(fault, severity) {
      const { pointer, resource, detail, hint, at: part = 'value' } = fault;
      if (pointer === undefined || resource !== undefined) return toFaultText(fault);
      const path = parsePointer(pointer.replace(/^#/, ''), document);
      return toIssueText({
        ...at(source.locate(path, part), toPathText(path), detail, hint),
        severity,
      });
    },
  };
}

function sharedPartOf(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const keys: readonly string[] = SHARED_KEYS;
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)));
}
