/** What the document declares for a node that has not heard of its backplane yet. */
import { expect, it, onTestFinished } from 'vitest';
import { startAdmin } from '../../../admin/admin-fixture.ts';
import { sourcesOf, WELL } from '../../../admin/configured-admin.ts';
import { MemoryVersionStore } from '../../../admin/memory-version-store.ts';
import { toUnsteady } from '../../../admin/unsteady-backplane.ts';
import { statusesOf } from './api-document.ts';
import { createClient, type Client } from './generated-client.ts';
import { ENTRIES } from './operation-entries.ts';

async function startAlone(): Promise<Client> {
  const store = new MemoryVersionStore();
  store.outageMs = 1_000;
  const admin = await startAdmin(
    { status: () => WELL, configuration: sourcesOf(store) },
    (own) => Object.assign(toUnsteady(own), { isAway: true }).port,
  );
  onTestFinished(() => admin.stop());
  const client = createClient(admin.port, admin.token);
  onTestFinished(() => client.close());
  return client;
}

it('without the backplane all that needs it answers 503, and all else as ever', async () => {
  const client = await startAlone();
  // Of these two nothing is needed but the node itself.
  const asked = Object.keys(ENTRIES).filter((id) => !['tap', 'explainRequest'].includes(id));
  const answers = await Promise.all(
    asked.map(async (id): Promise<[string, number, string | undefined]> => {
      const { status, body } = await client.call(id, ENTRIES[id]!.good);
      return [id, status, status === 503 ? body.code : undefined];
    }),
  );
  expect(answers).toEqual(
    asked.map((id) => {
      if (statusesOf(id).includes(503)) return [id, 503, 'backplane_unavailable'];
      // Nobody knows the token.
      return [id, id === 'getToken' ? 404 : 200, undefined];
    }),
  );
  expect(answers.filter(([, status]) => status === 503).length).toBeGreaterThan(20);
});
