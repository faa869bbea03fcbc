/** Signed tokens of a thousand callers, each of whom has a limit. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPeer, type BenchContext } from '../bench-context.ts';
import { compare } from '../compare.ts';
import type { PeerName, Work } from '../peers/peer.ts';
import type { Probe } from '../probe.ts';
import { createTokens, type TokenSet } from '../tokens.ts';
import type { Scenario } from './scenario.ts';

const CALLERS = 1000;
/** nginx, Caddy and http-proxy have neither built in. */
const ABLE: readonly PeerName[] = ['meshgate', 'haproxy'];
export const NEVER_REACHED = 1_000_000_000;
const SOON_REACHED = 5;

export const jwtRs256Limit: Scenario = {
  name: 'jwt-rs256-limit',
  summary:
    'GET of 1 KB with one of 1,000 RS256 tokens (issuer, audience and expiry checked) and a limit per subject. Only proxies that have both built in.',

  async run(context) {
    const { set, file } = await writeCallers(context.directory);
    for (const peer of ABLE) {
      if (context.peers.has(peer)) await proveLimit(context, peer, set);
    }
    return compare(context, {
      contestants: ABLE.map((peer) => ({
        label: peer,
        peer,
        work: toWork(set, NEVER_REACHED),
        requests: { file, order: 'cycle' },
        probes: toRefusals(set),
      })),
      baselines: ['haproxy'],
    });
  },
};

/** The tokens, and a file of a request with each. */
export async function writeCallers(
  directory: string,
): Promise<{ readonly set: TokenSet; readonly file: string }> {
  const set = await createTokens(directory, CALLERS);
  const file = join(directory, 'tokens');
  await writeFile(file, set.tokens.map((token) => `/items/42\t${token}\n`).join(''));
  return { set, file };
}

export function toWork({ work }: TokenSet, limit: number): Work {
  return { routes: 1, tls: false, body: 'small', tokens: { ...work, limit } };
}

/** That the tokens really are verified. */
function toRefusals({ tokens, bad }: TokenSet): Probe[] {
  const path = '/items/42';
  return [
    { path, status: 401, shows: 'a request without a token' },
    { path, token: bad.signature, status: 401, shows: 'a token of a foreign key' },
    { path, token: bad.expired, status: 401, shows: 'an expired token' },
    { path, token: bad.audience, status: 401, shows: 'a token for another audience' },
    { path, token: tokens[0]!, shows: 'a good token' },
  ];
}

/** That the limit really is kept, for each subject by itself. */
async function proveLimit(context: BenchContext, peer: PeerName, set: TokenSet): Promise<void> {
  const [token, other] = set.tokens as [string, string];
  const path = '/items/42';
  const running = await startPeer(context, peer, toWork(set, SOON_REACHED), [
    ...Array.from({ length: SOON_REACHED }, () => ({
      path,
      token,
      shows: 'what the limit admits',
    })),
    { path, token, status: 429, shows: 'what is over the limit' },
    { path, token: other, shows: 'another subject' },
  ]);
  await running.stop();
}
