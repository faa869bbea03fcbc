/** What turning a file's content into a `Config` needs to know of the whole, and where its findings go. */
import { isAbsolute, resolve } from 'node:path';
import type { ConfigFile, ConfigReference } from '../../../plugins/sdk/define-plugin.ts';
import { byteSize, durationMs } from '../../../plugins/sdk/quantity.ts';
import type { ConfigPath } from '../config-path.ts';
import type { ReportProblem } from '../issue.ts';
import { nearestNameHint } from '../nearest-name.ts';
import type { PluginCatalogue } from '../plugin-catalogue.ts';
import type { CallerNames } from './caller-references.ts';

/** Certificates or a key that are to be looked into: files, or for `texts` what is in them. */
export type PemReference =
  | { readonly kind: 'authorities'; readonly file: string; readonly path: ConfigPath }
  | {
      readonly kind: 'pair' | 'texts';
      readonly cert: string;
      readonly key: string;
      readonly certPath: ConfigPath;
      readonly keyPath: ConfigPath;
    };

/** A file that a plugin's configuration names. */
export interface PluginFileReference {
  /** Absolute. */
  readonly file: string;
  readonly path: ConfigPath;
  /** What is wrong with its content. */
  readonly check: ConfigFile['check'];
}

export interface Draft {
  readonly report: ReportProblem;
  /** Absolute; relative paths of the file start here. */
  readonly directory: string;
  readonly catalogue: PluginCatalogue;
  /** Names, those of objects with errors included, so that one error does not bring others. */
  readonly services: ReadonlySet<string>;
  readonly listeners: ReadonlySet<string>;
  /** Undefined where it cannot be told who they are. */
  readonly callers: CallerNames | undefined;
  /** JSON pointers of those addresses that are the file's own, not by default. */
  readonly writtenAddresses: ReadonlySet<string>;
  /** Whether https listeners may be without a certificate of their own; `later`: others may come. */
  readonly hasCertificates: boolean | 'later';
  /** Of the first https listener. */
  readonly httpsPort: number;
  readonly pemReferences: PemReference[];
  readonly pluginFiles: PluginFileReference[];
  readonly traces: Traces;
}

/** What looking at an entry leaves behind, beside files: from it is told whether it may be remembered. */
export interface Traces {
  /** How often something was reported. */
  reports: number;
  /** What was referred to, there or not. */
  services: string[];
  callers: ConfigReference[];
}

/** `setTimeout` counts in 32 bits: 24.8 days. */
const MAX_DURATION_MS = 2 ** 31 - 1;

/**
 * Maps the items of a list, with their places. A faulty item has been taken out and left a
 * hole, which is passed over.
 */
export function mapPresent<T, R>(
  list: readonly T[] | undefined,
  path: ConfigPath,
  map: (item: T, path: ConfigPath) => R,
): R[] {
  const results: R[] = [];
  for (const [i, item] of (list ?? []).entries()) {
    if ((item as unknown) !== undefined) results.push(map(item, [...path, i]));
  }
  return results;
}

export function toAbsolutePath(draft: Draft, file: string): string {
  return isAbsolute(file) ? file : resolve(draft.directory, file);
}

/** As `toAbsolutePath`; reports what the system could not even be asked for. */
export function toUsablePath(draft: Draft, file: string, path: ConfigPath): string {
  if (file.includes('\0')) draft.report(path, 'a path cannot hold a NUL character');
  return toAbsolutePath(draft, file);
}

/** Milliseconds; reports what is too short or too long. */
export function toDurationMs(
  draft: Draft,
  text: string,
  path: ConfigPath,
  minMs: 0 | 1 = 0,
): number {
  const ms = durationMs(text);
  if (ms < minMs) draft.report(path, 'must be more than 0');
  if (ms > MAX_DURATION_MS) draft.report(path, 'must be at most 24 days');
  return ms;
}

/** Bytes; reports what is too small. */
export function toBytes(
  draft: Draft,
  size: number | string,
  path: ConfigPath,
  minBytes = 0,
): number {
  const bytes = typeof size === 'number' ? size : byteSize(size);
  if (bytes < minBytes) draft.report(path, `must be at least ${minBytes} bytes`);
  return bytes;
}

/** Reports a reference to something that is not there. */
export function checkReference(
  draft: Draft,
  kind: 'service' | 'listener',
  name: string,
  path: ConfigPath,
): void {
  const names = kind === 'service' ? draft.services : draft.listeners;
  if (kind === 'service') draft.traces.services.push(name);
  if (names.has(name)) return;
  const hint = nearestNameHint(name, names) ?? `define it under ${kind}s`;
  draft.report(path, `there is no ${kind} ${JSON.stringify(name)}`, { hint });
}

/** A record without surprises: own, ordinary properties, whatever their names. */
export function toRecord(
  entries: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(entries));
}
