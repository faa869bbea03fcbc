/** Names and values of a normalised configuration as they are shown to people. */
import { childPath } from './config-path.ts';
import type { Config } from './config.ts';

/** Lists whose entries are told apart by name. */
export const NAMED_LISTS = [
  'listeners',
  'services',
  'routes',
  'consumers',
  'certificates',
] as const;

/** The other parts; `redactions` is about the configuration, not of it. */
export const PARTS = [
  'node',
  'dataDir',
  'backplane',
  'trustedProxies',
  'registrations',
  'outbound',
  'plugins',
  'admin',
  'status',
  'telemetry',
] as const satisfies readonly (keyof Config)[];

/** `timeoutMs` is shown as `timeout`, with a unit in its value. */
export function shownPath(parent: string, step: string | number): string {
  return childPath(parent, typeof step === 'string' ? step.replace(/(?:Ms|Bytes)$/, '') : step);
}

export function shownValue(key: string | number, value: unknown): unknown {
  if (typeof key !== 'string' || typeof value !== 'number') return value;
  if (key.endsWith('Ms')) return toDurationText(value);
  return key.endsWith('Bytes') ? toSizeText(value) : value;
}

const DURATION_UNITS: readonly [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

const SIZE_UNITS: readonly [string, number][] = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
];

/** The largest unit that leaves a whole number, e.g. `90s`. */
function toDurationText(ms: number): string {
  if (ms === 0) return '0s';
  const [unit, size] = DURATION_UNITS.find(([, size]) => ms % size === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** The largest unit that leaves a whole number, e.g. `64KiB`; plain bytes without a unit. */
function toSizeText(bytes: number): string {
  const [unit, size] = SIZE_UNITS.find(([, size]) => bytes !== 0 && bytes % size === 0) ?? ['', 1];
  return `${bytes / size}${unit}`;
}
