/** What stands in a certificate: whether it is valid at this time, and the names it is for. */
import { X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

export interface DateProblem {
  readonly text: string;
  readonly hint: string | undefined;
}

/** All certificates of a PEM file, in order. @throws Error where one cannot be read. */
export function parseCertificates(pem: string): X509Certificate[] {
  return (pem.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
}

/** DNS names of its subjectAltName in lower case, `*.x` included. */
export function dnsNamesOf(certificate: X509Certificate): readonly string[] {
  const names: string[] = [];
  // Entries with special characters are quoted by Node (CVE-2021-44532); none is a host name.
  for (const entry of (certificate.subjectAltName ?? '').split(', ')) {
    if (entry.startsWith('DNS:')) names.push(entry.slice(4).toLowerCase());
  }
  return names;
}

/** A subject or issuer in one line; empty for one that has no name. */
export function toNameLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ');
}

export function findDateProblem(
  certificate: X509Certificate,
  nowMs: number,
): DateProblem | undefined {
  const who = toNameLine(certificate.subject);
  const { validFromDate: from, validToDate: to } = certificate;
  if (to.getTime() < nowMs) {
    return {
      text: `the certificate of ${who} expired on ${to.toISOString()}`,
      hint: 'renew it; clients refuse it',
    };
  }
  if (from.getTime() > nowMs) {
    const text = `the certificate of ${who} is not valid before ${from.toISOString()}`;
    return { text, hint: undefined };
  }
  return undefined;
}
