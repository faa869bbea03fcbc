/** Looks into the certificates and keys that a configuration has, or names the files of. */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { reasonOf } from '../../mesh/backplane/backplane-error.ts';
import { findDateProblem, parseCertificates, toNameLine } from './certificate-dates.ts';
import type { ConfigPath } from './config-path.ts';
import { toReadFailure } from './file-failure.ts';
import type { ReportProblem } from './issue.ts';
import type { PemReference } from './normalise/draft.ts';
import { holdsPrivateKey } from './secret-text.ts';

/** PEM, where it stands in the configuration, and what it is called: its file, or `the text`. */
interface Source {
  readonly pem: string;
  readonly name: string;
  readonly path: ConfigPath;
}

/** Reports what cannot be read or used, pairs that do not fit, and (as warnings) expired certificates. */
export async function checkCertificates(
  references: readonly PemReference[],
  report: ReportProblem,
  nowMs: number,
): Promise<void> {
  for (const reference of references) {
    if (reference.kind === 'authorities') {
      const source = await readSource(reference.file, reference.path, report);
      if (source !== undefined) readCertificate(source, report, nowMs);
    } else if (reference.kind === 'texts') {
      checkTexts(reference, report, nowMs);
    } else {
      const cert = await readSource(reference.cert, reference.certPath, report);
      const key = await readSource(reference.key, reference.keyPath, report);
      checkPair(cert, key, report, nowMs);
    }
  }
}

/** They are all there is, whereas a file may be replaced by one that will do. */
function checkTexts(
  { cert, key, certPath, keyPath }: Exclude<PemReference, { kind: 'authorities' }>,
  report: ReportProblem,
  nowMs: number,
): void {
  // A certificate is shown to whoever may read the configuration.
  if (holdsPrivateKey(cert)) {
    report(certPath, 'the text holds a private key', { hint: 'it belongs in key' });
    return;
  }
  const certSource = { pem: cert, name: 'the text', path: certPath };
  const keySource = { pem: key, name: 'the text', path: keyPath };
  if (!checkPair(certSource, keySource, report, nowMs)) return;
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    report(certPath, `the certificate cannot be used for TLS: ${reasonOf(error)}`);
  }
}

/** True where they fit. */
function checkPair(
  cert: Source | undefined,
  key: Source | undefined,
  report: ReportProblem,
  nowMs: number,
): boolean {
  const certificate = cert && readCertificate(cert, report, nowMs);
  const privateKey = key && readKey(key, report);
  if (certificate === undefined || privateKey === undefined) return false;
  if (certificate.checkPrivateKey(privateKey)) return true;
  report(key!.path, 'the key does not belong to the certificate', {
    hint: `the certificate is for ${toNameLine(certificate.subject)}`,
  });
  return false;
}

/** The first certificate, after all of them have been looked at. */
function readCertificate(
  { pem, name, path }: Source,
  report: ReportProblem,
  nowMs: number,
): X509Certificate | undefined {
  try {
    const certificates = parseCertificates(pem);
    if (certificates.length === 0) report(path, `${name} holds no PEM certificate`);
    for (const certificate of certificates) {
      const problem = findDateProblem(certificate, nowMs);
      if (problem === undefined) continue;
      const { text, hint } = problem;
      report(path, text, { severity: 'warning', ...(hint !== undefined && { hint }) });
    }
    return certificates[0];
  } catch (error) {
    report(path, `${name} holds a certificate that cannot be read: ${reasonOf(error)}`);
    return undefined;
  }
}

function readKey({ pem, name, path }: Source, report: ReportProblem): KeyObject | undefined {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    report(path, `${name} holds an encrypted key`, {
      hint: 'decrypt it: openssl pkey -in … -out …',
    });
    return undefined;
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    report(path, `${name} holds no private key that can be read: ${reasonOf(error)}`);
    return undefined;
  }
}

async function readSource(
  file: string,
  path: ConfigPath,
  report: ReportProblem,
): Promise<Source | undefined> {
  try {
    return { pem: await readFile(file, 'utf8'), name: file, path };
  } catch (error) {
    report(path, toReadFailure(error, file));
    return undefined;
  }
}
