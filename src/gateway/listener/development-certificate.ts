/** A self-signed certificate for development, kept in the data directory between starts. */
import { webcrypto, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';
import { toDataDirFailure } from '../config/file-failure.ts';
import { toCanonicalAddress } from '../exchange/canonical-address.ts';
import { parseCertificate, type Certificate } from './certificate.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const LIFETIME_MS = 30 * DAY_MS;
/** One that is nearer to its end is made anew. */
const RENEWED_BEFORE_MS = 7 * DAY_MS;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Host names and IP addresses go into its subjectAltName. */
export interface DevelopmentCertificateOptions {
  readonly names: readonly string[];
  readonly dataDir: string;
  readonly clock: Clock;
  /** Hears where it cannot be kept. */
  readonly log?: Log;
}

/** Where it is kept: key and certificate, mode 0600. */
export function developmentCertificatePath(dataDir: string): string {
  return join(dataDir, 'dev-cert');
}

/** The kept one while it has all the names and time left, else a new one, which is then kept. */
export async function loadDevelopmentCertificate(
  options: DevelopmentCertificateOptions,
): Promise<Certificate> {
  const path = developmentCertificatePath(options.dataDir);
  const kept = await readKept(path);
  const { names, clock } = options;
  const keptNames = kept === undefined ? [] : subjectNames(kept);
  const lacking = names.map(toName).filter((name) => !keptNames.includes(name));
  const isFresh = kept !== undefined && kept.expiresAtMs - clock.now() > RENEWED_BEFORE_MS;
  if (isFresh && lacking.length === 0) return toUsable(kept, names);
  // Listeners with other names share the file: were theirs dropped, each would replace the other's.
  const pem = await makePem(isFresh ? [...keptNames, ...lacking] : names.map(toName), clock.now());
  try {
    await keep(path, pem);
  } catch (error) {
    // A full or read-only disk: browsers will ask about another certificate after a restart.
    const reason = toDataDirFailure(error, options.dataDir);
    options.log?.warn({ reason }, 'the development certificate could not be kept');
  }
  return toUsable(parseCertificate(pem, pem), names);
}

async function keep(path: string, pem: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Another process may read it at any time: it sees the old file or the new one.
  const draft = `${path}.${process.pid}`;
  try {
    await writeFile(draft, pem, { mode: 0o600 });
    await chmod(draft, 0o600);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** SNI has host names only, but `localhost` and an IP must find it as well. */
function toUsable(certificate: Certificate, names: readonly string[]): Certificate {
  return { ...certificate, names: names.map((name) => name.toLowerCase()) };
}

async function readKept(path: string): Promise<Certificate | undefined> {
  try {
    const pem = await readFile(path, 'utf8');
    return parseCertificate(pem, pem);
  } catch {
    return undefined;
  }
}

/** Host names and addresses that it is for, in canonical text. */
function subjectNames(certificate: Certificate): string[] {
  const text = new X509Certificate(certificate.certPem).subjectAltName ?? '';
  return text.split(', ').map((entry) => toName(entry.slice(entry.indexOf(':') + 1)));
}

function toName(name: string): string {
  return toCanonicalAddress(name.toLowerCase());
}

async function makePem(names: readonly string[], nowMs: number): Promise<string> {
  // Loaded here alone: it is large, needs the other as a polyfill, and is rarely used.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${names[0] ?? 'localhost'}, O=Meshgate development`,
    // A clock that is a little behind must not find it not yet valid.
    notBefore: new Date(nowMs - 60 * 60 * 1000),
    notAfter: new Date(nowMs + LIFETIME_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
      ),
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return `${certificate.toString('pem')}\n${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`;
}
