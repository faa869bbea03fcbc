/** The key that the demo's tokens are signed with; its public half goes to a file. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface SigningKey {
  /** Good for an hour. */
  issueToken(): Promise<string>;
}

/** As `config/meshgate.yaml` expects them. */
const ISSUER = 'https://demo.meshgate.invalid';
const AUDIENCE = 'orders';
const SUBJECT = 'ada';

const ALGORITHM = 'ES256';

/** A new key at each start: the private half never leaves this process. */
export async function createSigningKey(jwksFile: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM);
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  await mkdir(dirname(jwksFile), { recursive: true, mode: 0o700 });
  // A gateway that reads it meanwhile sees the old keys or the new ones.
  const draft = `${jwksFile}.${process.pid}`;
  await writeFile(draft, JSON.stringify({ keys: [{ ...jwk, kid, alg: ALGORITHM, use: 'sig' }] }));
  await rename(draft, jwksFile);
  return {
    issueToken: () =>
      new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'JWT' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(SUBJECT)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
  };
}
