/** Differences between two configurations, a line each. */
import { toChangeText } from '../gateway/config/diff.ts';
import type { ConfigChange } from '../gateway/config/comparison.ts';
import { createPaint, type Tone } from './paint.ts';
import { toPrintable } from './table.ts';
import type { Output, VerbIo } from './verb.ts';

const TONES = { added: 'good', removed: 'bad', changed: 'warn' } as const satisfies Record<
  ConfigChange['kind'],
  Tone
>;

export function printChanges(
  output: Output,
  env: VerbIo['env'],
  changes: readonly ConfigChange[],
): void {
  const paint = createPaint(output, env);
  const lines = changes.map(
    (change) => `${paint(TONES[change.kind], toPrintable(toChangeText(change)))}\n`,
  );
  output.write(lines.join(''));
}

/** `1 change`, `3 changes` */
export function toCountText(changes: readonly ConfigChange[]): string {
  return changes.length === 1 ? '1 change' : `${changes.length} changes`;
}

/** The way back. */
export function toInverse(changes: readonly ConfigChange[]): readonly ConfigChange[] {
  const KINDS = { added: 'removed', removed: 'added', changed: 'changed' } as const;
  return changes.map(({ kind, path, before, after }) => ({
    kind: KINDS[kind],
    path,
    before: after,
    after: before,
  }));
}
