/** Names that are the keys of a mapping, which the schema lets be anything. */
import type { ConfigPath } from '../config-path.ts';
import { NAME } from '../schema/scalar.ts';
import type { Draft } from './draft.ts';

const WHOLE_NAME = new RegExp(`^${NAME}$`);
const NAME_RULE = 'letters, digits, ".", "_" and "-", at most 128 of them';

/** `path` is that of what the name is of. */
export function checkName(draft: Draft, name: string, path: ConfigPath): void {
  if (WHOLE_NAME.test(name)) return;
  draft.report(path, `${JSON.stringify(name)} cannot be a name`, { at: 'key', hint: NAME_RULE });
}
