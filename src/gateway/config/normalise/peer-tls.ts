/** TLS towards somebody this node connects to: its files, and what they have to agree on. */
import type { ConfigPath } from '../config-path.ts';
import type { RawPeerTls } from '../schema/peer-tls.ts';
import type { PeerTls } from '../service-config.ts';
import { hostNameFault } from './address.ts';
import { toAbsolutePath, type Draft } from './draft.ts';

/** The defaults alone. */
export const DEFAULT_PEER_TLS: PeerTls = {
  serverName: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
  verify: true,
};

export function toPeerTls(draft: Draft, raw: RawPeerTls, path: ConfigPath): PeerTls {
  const [ca, cert, key] = [raw.ca, raw.cert, raw.key].map((file) =>
    file === undefined ? undefined : toAbsolutePath(draft, file),
  );
  if (ca !== undefined) {
    draft.pemReferences.push({ kind: 'authorities', file: ca, path: [...path, 'ca'] });
  }
  if (cert !== undefined && key !== undefined) {
    const certPath = [...path, 'cert'];
    draft.pemReferences.push({ kind: 'pair', cert, key, certPath, keyPath: [...path, 'key'] });
  } else if (cert !== undefined || key !== undefined) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    draft.report([...path, given], `"${given}" needs "${missing}"`, {
      at: 'key',
      absent: [...path, missing],
    });
  }
  if (raw.serverName !== undefined && hostNameFault(raw.serverName) !== undefined) {
    draft.report([...path, 'serverName'], `${JSON.stringify(raw.serverName)} is no host name`);
  }
  return { serverName: raw.serverName, ca, cert, key, verify: raw.verify };
}
