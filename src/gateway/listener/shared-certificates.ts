/** The certificates that all https listeners choose from where they have none of their own for a name. */
import { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { CertificateConfig } from '../config/config.ts';
import { CertificateChoice } from './certificate-choice.ts';
import type { CertificateExpiry } from './certificate-store.ts';
import { toContext, type Certificate, type TlsTerms } from './certificate.ts';

export class SharedCertificates {
  #known = new Map<string, SharedCertificate>();
  #choice = new CertificateChoice<SharedCertificate>();

  /** For handshakes to come, in one assignment; what was open stays open. The pairs have been checked. */
  replace(certificates: readonly CertificateConfig[]): void {
    const known = new Map<string, SharedCertificate>();
    const choice = new CertificateChoice<SharedCertificate>();
    for (const config of certificates) {
      const before = this.#known.get(config.name);
      const certificate = before?.isOf(config) === true ? before : new SharedCertificate(config);
      known.set(config.name, certificate);
      choice.add(config.serverNames, certificate);
    }
    this.#known = known;
    this.#choice = choice;
  }

  /** For a name asked for by SNI, by a listener's terms. Throws where OpenSSL cannot use what fits. */
  choose(serverName: string, terms: TlsTerms): SecureContext | undefined {
    return this.#choice.choose(serverName)?.contextFor(terms);
  }

  get expiries(): readonly CertificateExpiry[] {
    return Array.from(this.#known.values(), ({ expiry }) => expiry);
  }
}

class SharedCertificate {
  readonly #config: CertificateConfig;
  /** A context takes most of a millisecond, and of many certificates few are asked for at a listener. */
  readonly #contexts = new WeakMap<TlsTerms, SecureContext>();
  #expiry: CertificateExpiry | undefined;

  constructor(config: CertificateConfig) {
    this.#config = config;
  }

  isOf({ cert, privateKey, serverNames }: CertificateConfig): boolean {
    const own = this.#config;
    return (
      own.cert === cert && own.privateKey === privateKey && own.serverNames[0] === serverNames[0]
    );
  }

  get expiry(): CertificateExpiry {
    const { name, serverNames, cert } = this.#config;
    this.#expiry ??= {
      name: serverNames[0] ?? name,
      expiresAtMs: new X509Certificate(cert).validToDate.getTime(),
    };
    return this.#expiry;
  }

  contextFor(terms: TlsTerms): SecureContext {
    let context = this.#contexts.get(terms);
    if (context === undefined) {
      context = toContext(this.#pem, terms);
      this.#contexts.set(terms, context);
    }
    return context;
  }

  get #pem(): Pick<Certificate, 'certPem' | 'keyPem'> {
    return { certPem: this.#config.cert, keyPem: this.#config.privateKey };
  }
}
