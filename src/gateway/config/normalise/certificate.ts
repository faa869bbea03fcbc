/** Certificates of all listeners: the names that each is chosen for, which no other one has. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { dnsNamesOf } from '../certificate-dates.ts';
import type { CertificateConfig } from '../config.ts';
import type { ConfigPath } from '../config-path.ts';
import type { RawCertificate } from '../schema/certificate.ts';
import type { Draft } from './draft.ts';
import { toHosts } from './host.ts';
import { checkName } from './name.ts';

/** Of server names, which certificate has them. */
export type NameOwners = Map<string, string>;

export function toCertificate(
  draft: Draft,
  name: string,
  raw: RawCertificate,
  path: ConfigPath,
  owners: NameOwners,
): CertificateConfig {
  checkName(draft, name, path);
  const { cert, key } = raw;
  const [certPath, keyPath] = [
    [...path, 'cert'],
    [...path, 'key'],
  ];
  draft.pemReferences.push({ kind: 'texts', cert, key, certPath, keyPath });
  const certificate = readLeaf(cert);
  const serverNames =
    raw.serverNames === undefined
      ? ownNames(draft, certificate, certPath)
      : givenNames(draft, raw.serverNames, certificate, [...path, 'serverNames']);
  claim(draft, name, serverNames, {
    owners,
    placeOf: (i) => (raw.serverNames === undefined ? certPath : [...path, 'serverNames', i]),
  });
  return { name, serverNames, cert, privateKey: key };
}

/** What is wrong with it is told of when its texts are looked into. */
function readLeaf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function ownNames(
  draft: Draft,
  certificate: X509Certificate | undefined,
  path: ConfigPath,
): readonly string[] {
  if (certificate === undefined) return [];
  const names = [...new Set(dnsNamesOf(certificate))];
  if (names.length === 0) {
    draft.report(path, 'the certificate has no DNS name that it could be chosen by', {
      hint: 'give serverNames',
    });
  }
  return names;
}

function givenNames(
  draft: Draft,
  given: readonly string[],
  certificate: X509Certificate | undefined,
  path: ConfigPath,
): readonly string[] {
  const names = toHosts(draft, given, path);
  for (const [i, name] of names.entries()) {
    if (name === '*' || isIP(name.replaceAll(/[[\]]/g, '')) !== 0) {
      draft.report([...path, i], `${JSON.stringify(name)} is no name that clients ask for by SNI`, {
        hint: 'give a host name, or "*.example.com"',
      });
    } else if (certificate !== undefined && !covers(certificate, name)) {
      draft.report([...path, i], `the certificate is not for ${JSON.stringify(name)}`, {
        severity: 'warning',
        hint: `clients refuse it there; it is for ${dnsNamesOf(certificate).join(', ') || 'no DNS name'}`,
      });
    }
  }
  return names;
}

function covers(certificate: X509Certificate, name: string): boolean {
  if (name.startsWith('*.')) return dnsNamesOf(certificate).includes(name);
  return certificate.checkHost(name) !== undefined;
}

function claim(
  draft: Draft,
  name: string,
  serverNames: readonly string[],
  { owners, placeOf }: { owners: NameOwners; placeOf: (i: number) => ConfigPath },
): void {
  for (const [i, serverName] of serverNames.entries()) {
    const owner = owners.get(serverName);
    if (owner === undefined) {
      owners.set(serverName, name);
      continue;
    }
    const whose =
      owner === name ? 'this certificate already' : `the certificate ${JSON.stringify(owner)}`;
    draft.report(placeOf(i), `the server name ${JSON.stringify(serverName)} belongs to ${whose}`, {
      hint: 'give each certificate serverNames of its own, or replace the other one',
    });
  }
}
