/** Looks into the files that the configurations of plugins name. */
import { readFile } from 'node:fs/promises';
import { toReadFailure } from './file-failure.ts';
import type { ReportProblem } from './issue.ts';
import type { PluginFileReference } from './normalise/draft.ts';

/** Reports files that cannot be read, and those that their plugin cannot use. */
export async function checkPluginFiles(
  references: readonly PluginFileReference[],
  report: ReportProblem,
): Promise<void> {
  // Many routes may name the same file.
  const texts = new Map<string, Promise<string>>();
  for (const { file, path, check } of references) {
    let text = texts.get(file);
    if (text === undefined) texts.set(file, (text = readFile(file, 'utf8')));
    try {
      await text;
    } catch (error) {
      report(path, toReadFailure(error, file));
      continue;
    }
    const fault = faultOf(check, await text);
    if (fault !== undefined) report(path, `${file} ${fault}`);
  }
}

function faultOf(check: PluginFileReference['check'], text: string): string | undefined {
  try {
    return check?.(text);
  } catch (error) {
    return `cannot be checked: the plugin's own check failed: ${String(error)}`;
  }
}
