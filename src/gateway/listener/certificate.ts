/** A certificate with its key, checked and read: names, expiry, and what TLS needs of it. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { dnsNamesOf } from '../config/certificate-dates.ts';

export interface Certificate {
  /** DNS names of its subjectAltName in lower case, `*.x` included. */
  readonly names: readonly string[];
  readonly expiresAtMs: number;
  readonly certPem: string;
  readonly keyPem: string;
}

/** What every context of a listener has in common. */
export interface TlsTerms {
  readonly minVersion: '1.2' | '1.3';
  /** PEM of the authorities whose client certificates are accepted. */
  readonly clientCa: string | undefined;
}

/**
 * AEAD with forward secrecy only: CBC has had its padding oracles (Lucky13 and kin), and RSA
 * key exchange its own. TLS 1.3's first choice is the cheapest where AES is in hardware.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * @throws Error saying what is wrong: no certificate, no key, or a key of another certificate.
 */
export function parseCertificate(certPem: string, keyPem: string): Certificate {
  const certificate = read('certificate', () => new X509Certificate(certPem));
  const key = read('private key', () => createPrivateKey(keyPem));
  if (!certificate.checkPrivateKey(key)) throw new Error('the key is not the certificate’s');
  return {
    names: dnsNamesOf(certificate),
    expiresAtMs: certificate.validToDate.getTime(),
    certPem,
    keyPem,
  };
}

type Pem = Pick<Certificate, 'certPem' | 'keyPem'>;

/** Without a certificate no handshake comes to an end. */
export function toContextOptions(
  certificate: Pem | undefined,
  terms: TlsTerms,
): SecureContextOptions {
  return {
    ...(certificate !== undefined && { cert: certificate.certPem, key: certificate.keyPem }),
    minVersion: terms.minVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    ...(terms.clientCa === undefined ? {} : { ca: terms.clientCa }),
  };
}

export function toContext(certificate: Pem, terms: TlsTerms): SecureContext {
  return createSecureContext(toContextOptions(certificate, terms));
}

function read<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new Error(`it is not a ${what} in PEM: ${(error as Error).message}`, { cause: error });
  }
}
