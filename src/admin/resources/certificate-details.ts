/** What stands in a certificate, for those who read the configuration. */
import { X509Certificate } from 'node:crypto';
import { dnsNamesOf, toNameLine } from '../../gateway/config/certificate-dates.ts';
import type { SharedEntry } from '../../gateway/config/shared-entries.ts';
import type { JsonObject } from '../../mesh/backplane/json-object.ts';

/** The member of a certificate that is told and never taken. */
export const DETAILS = 'details';

/** A certificate as this node has it, by its name in the configuration: PEM text. */
export type CertificateInForce = (name: string) => string | undefined;

/** Whether it stands in the configuration itself, and is the same for whoever reads it. */
export function isWrittenOut({ value }: SharedEntry): boolean {
  return !certOf(value).includes('${');
}

/** Undefined where this node has none, or not yet. */
export function toCertificateDetails(
  entry: SharedEntry,
  inForce: CertificateInForce,
): JsonObject | undefined {
  const pem = isWrittenOut(entry) ? certOf(entry.value) : inForce(entry.name);
  const certificate = pem === undefined ? undefined : parse(pem);
  if (certificate === undefined) return undefined;
  return {
    subject: toNameLine(certificate.subject),
    issuer: toNameLine(certificate.issuer),
    dns_names: dnsNamesOf(certificate),
    valid_from: certificate.validFromDate.toISOString(),
    valid_until: certificate.validToDate.toISOString(),
    serial_number: certificate.serialNumber,
    fingerprint: certificate.fingerprint256,
  };
}

function certOf(value: unknown): string {
  const { cert } = (value ?? {}) as { readonly cert?: unknown };
  return typeof cert === 'string' ? cert : '';
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
