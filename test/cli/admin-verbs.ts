/** Verbs against a real admin API, and a mesh for them to look at. */
import type { Verb } from '../../src/cli/verb.ts';
import { createTopologyRecorder } from '../../src/mesh/topology/recorder.ts';
import { TOPOLOGY_SPACE, toReportValue } from '../../src/mesh/topology/report.ts';
import type { TestAdmin } from '../admin/admin-fixture.ts';
import { runVerb, type VerbRun } from './verb-run.ts';

export function envOf({ url, token }: TestAdmin): Record<string, string> {
  return { MESHGATE_ADMIN: url, MESHGATE_TOKEN: token };
}

export function runAdminVerb(admin: TestAdmin, verb: Verb, ...argv: string[]): Promise<VerbRun> {
  return runVerb(verb, argv, '/', envOf(admin));
}

/** `orders` on the nodes n1 and n2, `users` on n1. */
export async function fillMesh(admin: TestAdmin): Promise<void> {
  await admin.register('orders', {
    id: '10.0.0.1:80',
    host: '10.0.0.1',
    port: 80,
    weight: 2,
    zone: 'eu-1a',
    node: 'n1',
  });
  await admin.register('orders', { id: '10.0.0.2:80', host: '10.0.0.2', port: 80, node: 'n2' });
  await admin.register('users', { id: '10.0.0.1:81', host: '10.0.0.1', port: 81, node: 'n1' });
}

/** As if a gateway had called `orders` 500 times in 5 s, and `users` called it 10 times. */
export async function tellEdges(admin: TestAdmin, calls = 500): Promise<void> {
  for (const [node, source, count] of [
    ['n1', 'users', 10],
    ['edge-1', 'gateway', calls],
  ] as const) {
    const recorder = createTopologyRecorder();
    const edge = recorder.edgeTo('orders');
    for (let i = 0; i < count; i++) edge.record(i % 10 === 0 ? 1_500 : 8, i % 50 === 0);
    const value = toReportValue({ source, windowMs: 5_000, edges: recorder.take() });
    await admin.backplane.report(TOPOLOGY_SPACE, node, value, 60_000);
  }
}
