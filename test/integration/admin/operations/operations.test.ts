/** A client made of the OpenAPI document drives the whole API of a fleet: what it declares is what comes, and all of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backplane, Mutation } from '../../../../src/mesh/backplane/backplane.ts';
import { until } from '../../gateway-fixture.ts';
import { OPERATIONS, operationOf, statusesOf } from './api-document.ts';
import { CONCURRENT_WRITES } from './concurrent-writes.ts';
import { ENTRIES } from './operation-entries.ts';
import { direct, forwarded, type Way } from './operation-entry.ts';
import { startOperationFleet, type OperationFleet } from './operation-fleet.ts';
import { provoke } from './refusals.ts';

let fleet: OperationFleet;

beforeAll(async () => {
  fleet = await startOperationFleet();
});
afterAll(() => fleet.stop());

const ids = OPERATIONS.map(({ operationId }) => operationId);
const OWN = ids.filter((id) => !id.endsWith('OfNode'));
const FORWARDED = OWN.filter((id) => ids.includes(`${id}OfNode`));

describe('the operations of the document', () => {
  it('are all in the battery, and all of another node’s too but for the document itself', () => {
    expect(Object.keys(ENTRIES).toSorted()).toEqual(OWN.toSorted());
    expect(OWN.filter((id) => !FORWARDED.includes(id))).toEqual(['getOpenApi']);
    expect(ids).toHaveLength(OWN.length + FORWARDED.length);
  });
});

describe.each([
  ['this node', OWN, direct],
  ['another node', FORWARDED, forwarded],
] as const)('of %s', (_, operations, toWay) => {
  it.each(operations)('%s answers as it is declared', { timeout: 20_000 }, async (id) => {
    const way = toWay(fleet);
    await ENTRIES[id]!.succeed(way);
    const seen = fleet.a.client.seen(way.idOf(id));
    expect([...seen]).toEqual(expect.arrayContaining([...statusesOf(way.idOf(id), 200, 400)]));
  });

  it.each(operations)('%s refuses as it is declared', { timeout: 20_000 }, async (id) => {
    const way = toWay(fleet);
    for (const status of refusalsOf(way, id)) {
      const answer = await provoke(id, status, ENTRIES[id]!, way);
      expect([id, answer.status, answer.body]).toEqual([id, status, problemOf(status)]);
    }
  });
});

describe('two writers at once', () => {
  /** They need a body, and write nothing. */
  const QUESTIONS = new Set(['diffConfig', 'explainRequest', 'validateConfig']);
  const writes = OWN.filter((id) => operationOf(id).method !== 'GET' && !QUESTIONS.has(id));

  it('are there for each operation that writes', () => {
    expect(Object.keys(CONCURRENT_WRITES).toSorted()).toEqual(writes.toSorted());
  });

  it.each(writes)('of %s: no update is lost', { timeout: 20_000 }, async (id) => {
    await expect(CONCURRENT_WRITES[id]!(fleet)).resolves.toBeUndefined();
  });
});

describe('the audit log', () => {
  const listed = async (path: string): Promise<readonly object[]> => {
    const { body } = await fleet.a.client.call('listAudit', { query: { path, outcome: 'done' } });
    return body.items as readonly object[];
  };

  it.each(['/v1/', '/v1/nodes/b/'])('has what was written by %s…, and no questions', async (at) => {
    await until(async () => ((await listed(`${at}config/rollback`)).length > 0 ? true : undefined));
    for (const question of ['config/validate', 'config/diff', 'explain']) {
      expect(await listed(`${at}${question}`)).toEqual([]);
    }
  });

  it('tells how much of it was dropped, by metrics too', async () => {
    const told = await until(async () => {
      const { body } = await fleet.a.client.call('listAudit', { query: { page_size: 1 } });
      const metrics = await fleet.a.gateway.metrics();
      const [, dropped] = /^meshgate_audit_entries_dropped_total (\d+)$/m.exec(metrics)!;
      return Number(dropped) === body.dropped ? body.dropped : undefined;
    });
    expect(told).toBeGreaterThanOrEqual(0);
  });
});

describe('what takes long, or much', () => {
  it(
    'is a node that gives no answer: 504, whatever is asked of it',
    { timeout: 30_000 },
    async () => {
      const answers = await Promise.all(
        FORWARDED.map((id) => provoke(id, 504, ENTRIES[id]!, forwarded(fleet))),
      );
      expect(answers.map(({ status }) => status)).toEqual(FORWARDED.map(() => 504));
    },
  );

  // The last one: there is no room for tokens afterwards.
  it('are as many tokens as there may be: 409', { timeout: 30_000 }, async () => {
    await fillTokens(fleet.backplane);
    for (const way of [direct(fleet), forwarded(fleet)]) {
      const answer = await until(async () => {
        const asked = await way.call('createToken', ENTRIES['createToken']!.good);
        return asked.status === 201 ? undefined : asked;
      });
      expect([answer.status, answer.body.code]).toEqual([409, 'too_many_tokens']);
    }
  });
});

/** As many as a fleet may have. */
async function fillTokens(backplane: Backplane): Promise<void> {
  const token = {
    name: 'filler',
    role: 'viewer',
    digest: '0'.repeat(64),
    created_at: Date.now(),
    created_by: 'a test',
  };
  for (let i = 0; i < 5; i++) {
    const puts = Array.from({ length: 200 }, (_, j): Mutation => {
      const id = (i * 200 + j).toString(16).padStart(16, 'f');
      return { type: 'put', kind: 'doc', id, value: token };
    });
    await backplane.change('admin-tokens', puts);
  }
}

function refusalsOf(way: Way, id: string): readonly number[] {
  return statusesOf(way.idOf(id), 400).filter((status) => {
    if (id === 'createToken' && status === 409) return false;
    // Of the node itself: without the backplane, in `outages.test.ts`.
    return way.name === 'direct' ? status !== 503 : status !== 504;
  });
}

function problemOf(status: number): object {
  return expect.objectContaining({ status, source: 'admin', code: expect.any(String) }) as object;
}
