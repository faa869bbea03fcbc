/** Forwarding and nothing else, and what of it TLS and larger answers make. */
import type { BenchContext } from '../bench-context.ts';
import { compare } from '../compare.ts';
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

function compareAll(context: BenchContext, work: Work): Promise<ScenarioResult> {
  return compare(context, {
    contestants: PEERS.filter(({ name }) => name !== 'meshgate-mesh').map(({ name }) => ({
      label: name,
      peer: name,
      work,
    })),
    baselines: ['nginx', 'http-proxy'],
  });
}
