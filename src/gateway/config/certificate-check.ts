/** Looks into the certificate and key files that a configuration names. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ConfigPath } from './config-path.ts';
import { toReadFailure } from './file-failure.ts';
import type { ReportProblem } from './issue.ts';
import type { PemReference } from './normalise/draft.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Reports files that cannot be read or used, pairs that do not fit, and (as warnings) expired certificates. */
export async function checkCertificates(
  references: readonly PemReference[],
  report: ReportProblem,
  nowMs: number,
): Promise<void> {
  for (const reference of references) {
    if (reference.kind === 'authorities') {
      await readCertificate(reference.file, reference.path, report, nowMs);
      continue;
    }
    const certificate = await readCertificate(reference.cert, reference.certPath, report, nowMs);
    const key = await readKey(reference.key, reference.keyPath, report);
    if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
      report(reference.keyPath, 'the key does not belong to the certificate', {
        hint: `the certificate is for ${certificate.subject.replaceAll('\n', ', ')}`,
      });
    }
  }
}

/** The file's first certificate, after all of them have been looked at. */
async function readCertificate(
  file: string,
  path: ConfigPath,
  report: ReportProblem,
  nowMs: number,
): Promise<X509Certificate | undefined> {
  const pem = await readPem(file, path, report);
  if (pem === undefined) return undefined;
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    report(path, `${file} holds no PEM certificate`);
    return undefined;
  }
  try {
    const certificates = blocks.map((block) => new X509Certificate(block));
    for (const certificate of certificates) checkDates(certificate, path, report, nowMs);
    return certificates[0];
  } catch (error) {
    report(path, `${file} holds a certificate that cannot be read: ${messageOf(error)}`);
    return undefined;
  }
}

function checkDates(
  certificate: X509Certificate,
  path: ConfigPath,
  report: ReportProblem,
  nowMs: number,
): void {
  const who = certificate.subject.replaceAll('\n', ', ');
  if (certificate.validToDate.getTime() < nowMs) {
    report(path, `the certificate of ${who} expired on ${certificate.validToDate.toISOString()}`, {
      severity: 'warning',
      hint: 'renew it; clients refuse it',
    });
  } else if (certificate.validFromDate.getTime() > nowMs) {
    const from = certificate.validFromDate.toISOString();
    report(path, `the certificate of ${who} is not valid before ${from}`, { severity: 'warning' });
  }
}

async function readKey(
  file: string,
  path: ConfigPath,
  report: ReportProblem,
): Promise<KeyObject | undefined> {
  const pem = await readPem(file, path, report);
  if (pem === undefined) return undefined;
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    report(path, `${file} holds an encrypted key`, {
      hint: 'decrypt it: openssl pkey -in … -out …',
    });
    return undefined;
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    report(path, `${file} holds no private key that can be read: ${messageOf(error)}`);
    return undefined;
  }
}

async function readPem(
  file: string,
  path: ConfigPath,
  report: ReportProblem,
): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    report(path, toReadFailure(error, file));
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
