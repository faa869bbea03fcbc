/** What a hop through the mesh costs: two proxies where the edge has one. */
import { compare } from '../compare.ts';
import type { Work } from '../peers/peer.ts';
import type { Scenario } from '../scenarios/scenario.ts';

const WORK: Work = { routes: 1, tls: false, body: 'small' };
const EDGE = 'edge hop';

export const hop: Scenario = {
  name: 'mesh-hop',
  summary:
    "GET of 1 KB over 64 kept connections: through one Meshgate's listener, and through the outbound door of one and the inbound door of another, which share the core. CPU is that of both.",
  run: (context) =>
    compare(context, {
      contestants: [
        { label: EDGE, peer: 'meshgate', work: WORK },
        { label: 'mesh hop', peer: 'meshgate-mesh', work: WORK },
      ],
      baselines: [EDGE],
    }),
};
