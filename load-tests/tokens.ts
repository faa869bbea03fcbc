/** Signed tokens of many callers, and the keys to verify them with. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import type { TokenWork } from './peers/peer.ts';

export interface TokenSet {
  readonly tokens: readonly string[];
  /** What else is well-formed, and must be refused. */
  readonly bad: { readonly signature: string; readonly expired: string; readonly audience: string };
  readonly work: Omit<TokenWork, 'limit'>;
}

const ISSUER = 'https://id.bench.test';
const AUDIENCE = 'bench';
const KEY_ID = 'bench-1';
const ALGORITHM = 'RS256';

/** RS256 with a key of 2048 bits; each token has a subject of its own and lives for a day. */
export async function createTokens(directory: string, count: number): Promise<TokenSet> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const stranger = await generateKeyPair(ALGORITHM);
  const jwksFile = join(directory, 'jwks.json');
  const publicKeyFile = join(directory, 'public-key.pem');
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: ALGORITHM, use: 'sig' };
  await writeFile(jwksFile, JSON.stringify({ keys: [jwk] }));
  await writeFile(publicKeyFile, await exportSPKI(publicKey));
  const sign = (subject: string, audience = AUDIENCE, expires = '1d', key = privateKey) =>
    new SignJWT()
      .setProtectedHeader({ alg: ALGORITHM, kid: KEY_ID, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(key);
  const subjects = Array.from({ length: count }, (_, i) => `caller-${i}`);
  return {
    tokens: await Promise.all(subjects.map((subject) => sign(subject))),
    bad: {
      signature: await sign('stranger', AUDIENCE, '1d', stranger.privateKey),
      expired: await sign('late', AUDIENCE, '-1h'),
      audience: await sign('lost', 'elsewhere'),
    },
    work: { issuer: ISSUER, audience: AUDIENCE, jwksFile, publicKeyFile },
  };
}
