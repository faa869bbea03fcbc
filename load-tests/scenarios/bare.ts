/** Forwarding and nothing else, and what of it TLS and larger answers make. */
import type { BenchContext } from '../bench-context.ts';
import { compare, type Contestant } from '../compare.ts';
import { PEERS } from '../peers/peer-list.ts';
import type { Work } from '../peers/peer.ts';
import type { Scenario, ScenarioResult } from './scenario.ts';

const BARE: Work = { routes: 1, tls: false, body: 'small' };

export const bare: Scenario = {
  name: 'bare',
  summary: 'GET of 1 KB over 64 kept connections.',
  run: (context) => compareAll(context, BARE),
};

export const https: Scenario = {
  name: 'https',
  summary: 'The same over TLS 1.3 on kept connections, with an ECDSA certificate on P-256.',
  run: (context) => compareAll(context, { ...BARE, tls: true }),
};

export const largeBody: Scenario = {
  name: 'body-64k',
  summary: 'GET of 64 KiB over 64 kept connections.',
  run: (context) => compareAll(context, { ...BARE, body: 'large' }),
};

/** nginx that tells as much of each request as Meshgate does. */
const TELLING = 'nginx, telling';

function compareAll(context: BenchContext, work: Work): Promise<ScenarioResult> {
  const contestants = PEERS.filter(({ name }) => name !== 'meshgate-mesh').map(
    ({ name }): Contestant => ({ label: name, peer: name, work }),
  );
  const telling: Contestant = { label: TELLING, peer: 'nginx', work: { ...work, tells: true } };
  const after = contestants.findIndex(({ peer }) => peer === 'nginx') + 1;
  return compare(context, {
    contestants: contestants.toSpliced(after, 0, telling),
    baselines: ['nginx', TELLING, 'http-proxy'],
  });
}
