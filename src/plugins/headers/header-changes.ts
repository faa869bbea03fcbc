/** Sets, adds and removes fields as the Gateway API's HTTPHeaderFilter does, and finds what must not be touched. */
import { HeaderFields, type ConfigIssue } from '../sdk/plugin.ts';
import type { HeaderChanges } from './schema.ts';

/** What belongs to one connection or to its framing (RFC 9110 §7.6.1, §8.6): the gateway writes it anew. */
const CONNECTION_FIELDS = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Why a field of that message may not be changed; undefined where it may. `name` in lower case. */
function untouchable(name: string, side: keyof typeof SIDES): string | undefined {
  if (CONNECTION_FIELDS.has(name)) {
    return 'belongs to the connection and the framing, which the gateway writes itself';
  }
  return SIDES[side](name);
}

const SIDES = {
  request(name: string): string | undefined {
    if (name === 'host') return "is changed by the route's rewrite.host";
    if (name === 'expect') return 'is negotiated by the gateway itself';
    return name.startsWith('proxy-') ? 'is between the client and this proxy' : undefined;
  },
  response(): undefined {
    return undefined;
  },
};

/** One line to write. */
interface Line {
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

function linesOf(kind: 'set' | 'add', fields: Record<string, string | string[]> = {}): Line[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    typeof value === 'string'
      ? [{ path: `${kind}.${name}`, name, value }]
      : value.map((one, index) => ({ path: `${kind}.${name}[${index}]`, name, value: one })),
  );
}

/** Every wrong name and value, and every name that is changed in two ways. */
export function checkHeaderChanges(
  changes: HeaderChanges,
  side: 'request' | 'response',
): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const report = (path: string, message: string): void => {
    issues.push({ path: `${side}.${path}`, message });
  };

  const scratch = new HeaderFields();
  for (const { path, name, value } of [
    ...linesOf('set', changes.set),
    ...linesOf('add', changes.add),
    ...(changes.remove ?? []).map((name, i) => ({ path: `remove[${i}]`, name, value: '' })),
  ]) {
    try {
      scratch.add(name, value);
    } catch (error) {
      report(path, (error as Error).message);
    }
  }

  const seen = new Map<string, string>();
  for (const [path, name] of [
    ...Object.keys(changes.set ?? {}).map((name) => [`set.${name}`, name] as const),
    ...Object.keys(changes.add ?? {}).map((name) => [`add.${name}`, name] as const),
    ...(changes.remove ?? []).map((name, i) => [`remove[${i}]`, name] as const),
  ]) {
    const lower = name.toLowerCase();
    const reason = untouchable(lower, side);
    if (reason !== undefined) report(path, `${name} ${reason}`);
    const before = seen.get(lower);
    if (before !== undefined) report(path, `${name} is already changed by ${before}: keep one`);
    else seen.set(lower, path);
  }
  return issues;
}

/** Applies changes to a message's fields; undefined where there are none to apply. */
export function bindHeaderChanges(
  changes: HeaderChanges | undefined,
): ((headers: HeaderFields) => void) | undefined {
  const removed = changes?.remove ?? [];
  const set = linesOf('set', changes?.set);
  const added = linesOf('add', changes?.add);
  if (removed.length + set.length + added.length === 0) return undefined;
  return (headers) => {
    for (const name of removed) headers.remove(name);
    for (const { name, value } of set) headers.set(name, value);
    for (const { name, value } of added) headers.add(name, value);
  };
}
