/** Looks into the certificate and key files that a configuration names. */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { findDateProblem, parseCertificates } from './certificate-dates.ts';
import type { ConfigPath } from './config-path.ts';
import { toReadFailure } from './file-failure.ts';
import type { ReportProblem } from './issue.ts';
import type { PemReference } from './normalise/draft.ts';

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
  try {
    const certificates = parseCertificates(pem);
    if (certificates.length === 0) report(path, `${file} holds no PEM certificate`);
    for (const certificate of certificates) {
      const problem = findDateProblem(certificate, nowMs);
      if (problem === undefined) continue;
      const { text, hint } = problem;
      report(path, text, { severity: 'warning', ...(hint !== undefined && { hint }) });
    }
    return certificates[0];
  } catch (error) {
    report(path, `${file} holds a certificate that cannot be read: ${messageOf(error)}`);
    return undefined;
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
