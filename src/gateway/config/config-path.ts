/** Places in a configuration: as a list of steps, as a JSON pointer, and as people read them. */

/** Keys and list indexes from the top. */
export type ConfigPath = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z0-9_-]+$/;

/** `parent.key`, or `parent["odd key"]`; a number is an index. */
export function childPath(parent: string, step: string | number): string {
  if (typeof step === 'number') return `${parent}[${step}]`;
  if (!PLAIN_KEY.test(step)) return `${parent}[${JSON.stringify(step)}]`;
  return parent === '' ? step : `${parent}.${step}`;
}

/** For people, e.g. `routes[3].to[0].service`; empty for the document itself. */
export function toPathText(path: ConfigPath): string {
  let text = '';
  for (const step of path) text = childPath(text, step);
  return text;
}

const TEXT_STEP = /\[(?:(\d+)|("(?:[^"\\]|\\.)*"))\]|\.?([A-Za-z0-9_-]+)/g;

/** What `toPathText` was made of. */
export function parsePathText(text: string): ConfigPath {
  return [...text.matchAll(TEXT_STEP)].map(([, index, quoted, key]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? key! : (JSON.parse(quoted) as string);
  });
}

/** For look-ups: a JSON pointer (RFC 6901). */
export function toPointer(path: ConfigPath): string {
  let pointer = '';
  for (const step of path) {
    pointer += `/${typeof step === 'number' ? step : step.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
  return pointer;
}

/** Reads a JSON pointer against the value it points into, which tells indexes from keys. */
export function parsePointer(pointer: string, root: unknown): ConfigPath {
  const path: (string | number)[] = [];
  let value: unknown = root;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = childOf(value, path.at(-1)!);
  }
  return path;
}

/** What stands at a path; undefined where nothing does. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  let value: unknown = root;
  for (const step of path) value = childOf(value, step);
  return value;
}

function childOf(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Record<string | number, unknown>)[step];
}
