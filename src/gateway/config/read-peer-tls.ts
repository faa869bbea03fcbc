/** The TLS material that a configuration names, read from its files. */
import { readFileSync } from 'node:fs';
import type { UpstreamTls } from '../../mesh/transport/upstream.ts';
import type { PeerTls } from './service-config.ts';

/** Throws where a file that was there at the check is gone. */
export function readPeerTls({ serverName, ca, cert, key, verify }: PeerTls): UpstreamTls {
  return {
    verify,
    ...(serverName !== undefined && { serverName }),
    ...(ca !== undefined && { ca: readFileSync(ca, 'utf8') }),
    ...(cert !== undefined && { cert: readFileSync(cert, 'utf8') }),
    ...(key !== undefined && { key: readFileSync(key, 'utf8') }),
  };
}
