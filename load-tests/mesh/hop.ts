/** What a hop through the mesh costs: two proxies where the edge has one. */
import { compare, type Series } from '../compare.ts';
import type { Work } from '../peers/peer.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { medianRatio } from '../statistics.ts';

const WORK: Work = { routes: 1, tls: false, body: 'small' };
const EDGE = 'edge hop';
const OUTBOUND = 'outbound door';
const INBOUND = 'inbound door';

export const hop: Scenario = {
  name: 'mesh-hop',
  summary:
    "GET of 1 KB over 64 kept connections: through one Meshgate's listener, and through the outbound door of one and the inbound door of another. Each door is measured alone, like the edge hop: the outbound door in front of the upstream, the inbound door with requests as an outbound door sends them. Then both share one core.",
  async run(context) {
    const result = await compare(context, {
      contestants: [
        { label: EDGE, peer: 'meshgate', work: WORK },
        { label: OUTBOUND, peer: 'meshgate-mesh', work: { ...WORK, door: 'outbound' } },
        { label: INBOUND, peer: 'meshgate-mesh', work: { ...WORK, door: 'inbound' } },
        { label: 'both, one core', peer: 'meshgate-mesh', work: WORK },
      ],
      baselines: [EDGE],
    });
    const [edge, outbound, inbound] = [EDGE, OUTBOUND, INBOUND].map((wanted) =>
      (result.data as readonly Series[])
        .find(({ label }) => label === wanted)
        ?.rounds.map(({ cpuUs }) => cpuUs),
    );
    if (edge === undefined || outbound === undefined || inbound === undefined) return result;
    const hops = outbound.map((cost, round) => cost + inbound[round]!);
    const ratio = medianRatio(hops, edge).toFixed(2);
    return {
      ...result,
      notes: [...result.notes, `A mesh hop, both doors together, costs ${ratio} edge hops.`],
    };
  },
};
