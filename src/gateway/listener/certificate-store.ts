/** The certificates of one listener: loaded, chosen by SNI, reloaded when their files change. */
import { readFile, stat } from 'node:fs/promises';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';
import { findDateProblem, parseCertificates } from '../config/certificate-dates.ts';
import type { ListenerTls } from '../config/listener-config.ts';
import { CertificateChoice } from './certificate-choice.ts';
import {
  parseCertificate,
  toContext,
  toContextOptions,
  type Certificate,
  type TlsTerms,
} from './certificate.ts';
import type { SharedCertificates } from './shared-certificates.ts';
import {
  developmentCertificatePath,
  loadDevelopmentCertificate,
} from './development-certificate.ts';

/** Files are compared by their metadata so often; watching would miss swapped symbolic links. */
const DEFAULT_POLL_MS = 2000;

export interface CertificateStoreOptions {
  readonly tls: ListenerTls;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Asked where `tls` has no certificate for a name. Default: there are none. */
  readonly shared?: SharedCertificates | undefined;
  /** Default 2 seconds. */
  readonly pollMs?: number;
}

export interface CertificateExpiry {
  /** Its first DNS name. */
  readonly name: string;
  readonly expiresAtMs: number;
}

interface Loaded {
  readonly terms: TlsTerms;
  /** From files. */
  readonly choice: CertificateChoice<SecureContext>;
  /** Made for development: after all others. */
  readonly development: CertificateChoice<SecureContext>;
  readonly fallback: SecureContextOptions;
  readonly expiries: readonly CertificateExpiry[];
  /** Of all files, by path. */
  readonly stamps: ReadonlyMap<string, string>;
  /** Of certificates that are taken although clients will refuse them. */
  readonly warnings: readonly string[];
}

/** @throws Error naming the file that cannot be used, and why. */
export async function loadCertificateStore(
  options: CertificateStoreOptions,
): Promise<CertificateStore> {
  return new CertificateStore(options, await load(options));
}

export class CertificateStore {
  /** Called after the material has changed, to replace the default context. */
  onChange: (fallback: SecureContextOptions) => void = () => undefined;
  readonly #options: CertificateStoreOptions;
  #loaded: Loaded;
  #timer: NodeJS.Timeout | undefined = undefined;
  #checking: Promise<void> | undefined = undefined;
  /** Of the files that were last found bad, so that it is said once. */
  #badStamps = '';

  /** Made by `loadCertificateStore`. */
  constructor(options: CertificateStoreOptions, loaded: Loaded) {
    this.#options = options;
    this.#loaded = loaded;
  }

  /**
   * For a name asked for by SNI; undefined: the default. The listener's own files come first, then
   * what all listeners share, then what was made for development. Throws where OpenSSL cannot use
   * what fits.
   */
  choose(serverName: string): SecureContext | undefined {
    const { terms, choice, development } = this.#loaded;
    return (
      choice.choose(serverName) ??
      this.#options.shared?.choose(serverName, terms) ??
      development.choose(serverName)
    );
  }

  /** For clients that name no host, or one that no certificate fits. */
  get fallback(): SecureContextOptions {
    return this.#loaded.fallback;
  }

  get expiries(): readonly CertificateExpiry[] {
    return this.#loaded.expiries;
  }

  start(): void {
    this.#timer ??= setInterval(
      () => void this.check(),
      this.#options.pollMs ?? DEFAULT_POLL_MS,
    ).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Looks whether files have changed; a bad new one leaves what is in use. Never rejects. */
  check(): Promise<void> {
    return (this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    }));
  }

  async #check(): Promise<void> {
    const { log, clock, tls } = this.#options;
    let stamps: ReadonlyMap<string, string> | undefined;
    try {
      stamps = await readStamps(this.#options);
      const isSame = same(stamps, this.#loaded.stamps);
      const expiring =
        tls.selfSigned.length > 0 && isDevelopmentExpiring(this.#loaded, clock.now());
      if (isSame && !expiring) return;
      this.#loaded = await load(this.#options);
      this.#badStamps = '';
      this.onChange(this.#loaded.fallback);
      log.info({ names: this.#loaded.expiries.map(({ name }) => name) }, 'Certificates reloaded');
      // Those of the first load are told of by the check of the configuration.
      for (const warning of this.#loaded.warnings) log.warn({}, warning);
    } catch (error) {
      const bad = `${[...(stamps ?? [])].join()}${(error as Error).message}`;
      if (bad === this.#badStamps) return;
      this.#badStamps = bad;
      const reason = (error as Error).message;
      log.error({ reason }, 'New certificates cannot be used; those in use stay');
    }
  }
}

function isDevelopmentExpiring(loaded: Loaded, nowMs: number): boolean {
  // The development certificate is the last one; a day before its end loading renews it.
  const last = loaded.expiries.at(-1);
  return last !== undefined && last.expiresAtMs - nowMs < 24 * 60 * 60 * 1000;
}

async function load(options: CertificateStoreOptions): Promise<Loaded> {
  const { tls, log } = options;
  const terms: TlsTerms = {
    minVersion: tls.minVersion,
    clientCa: tls.clientCa === undefined ? undefined : await readPem(tls.clientCa),
  };
  // Made first: its file is among those whose stamps are taken.
  const own =
    tls.selfSigned.length === 0
      ? undefined
      : await loadDevelopmentCertificate({
          names: tls.selfSigned,
          dataDir: options.dataDir,
          clock: options.clock,
          log,
        });
  // Before the files are read: a change in between is then found by the next look.
  const stamps = await readStamps(options);
  const certificates: Certificate[] = [];
  const warnings: string[] = [];
  for (const { cert, key } of tls.certificates) {
    const certPem = await readPem(cert);
    const keyPem = await readPem(key);
    try {
      certificates.push(parseCertificate(certPem, keyPem));
      warnings.push(...findWarnings(certPem, options.clock.now()));
    } catch (error) {
      throw new Error(`Certificate ${cert} with key ${key}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  const choice = new CertificateChoice<SecureContext>();
  for (const certificate of certificates) {
    const taken = choice.add(certificate.names, toContext(certificate, terms));
    if (!taken && certificate !== certificates[0]) {
      log.warn(
        { names: certificate.names },
        'A certificate has no name that an earlier one has not',
      );
    }
  }
  const development = new CertificateChoice<SecureContext>();
  if (own !== undefined) {
    development.add(own.names, toContext(own, terms));
    certificates.push(own);
  }
  return {
    terms,
    choice,
    development,
    fallback: toContextOptions(certificates[0], terms),
    expiries: certificates.map(({ names, expiresAtMs }) => ({
      name: names[0] ?? 'unnamed',
      expiresAtMs,
    })),
    stamps,
    warnings,
  };
}

function findWarnings(pem: string, nowMs: number): string[] {
  return parseCertificates(pem)
    .map((certificate) => findDateProblem(certificate, nowMs))
    .filter((problem) => problem !== undefined)
    .map(({ text, hint }) => (hint === undefined ? text : `${text} (${hint})`));
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Tells every file's version by inode, size and time. */
async function readStamps(options: CertificateStoreOptions): Promise<ReadonlyMap<string, string>> {
  const { tls } = options;
  const paths = tls.certificates.flatMap(({ cert, key }) => [cert, key]);
  if (tls.clientCa !== undefined) paths.push(tls.clientCa);
  const stamps = new Map<string, string>();
  for (const path of paths) stamps.set(path, await stampOf(path));
  if (tls.selfSigned.length > 0) {
    const path = developmentCertificatePath(options.dataDir);
    // It is in use although it could not be kept.
    stamps.set(path, await stampOf(path).catch(() => 'absent'));
  }
  return stamps;
}

async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(path, { bigint: true });
  return `${ino}:${size}:${mtimeNs}`;
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [path, stamp] of a) if (b.get(path) !== stamp) return false;
  return true;
}
