/** What every operation refuses in the same way: a good call, spoilt. */
import type { Role } from '../../../../src/admin/access/principal.ts';
import { operationOf, type Operation } from './api-document.ts';
import type { Answer, Call } from './generated-client.ts';
import type { Entry, Way } from './operation-entry.ts';
import { SILENT_NODES, type OperationFleet } from './operation-fleet.ts';

type Spoil = (good: Call, operation: Operation, fleet: OperationFleet) => Call;

/** Who asks, where the operation is for the role. */
const TOO_LITTLE: Readonly<Record<Role, keyof OperationFleet['tokens']>> = {
  viewer: 'scoped',
  operator: 'viewer',
  admin: 'operator',
};

/** Bad tokens come from here, and nothing else. */
const GUESSER = '127.0.0.66';

const SPOILT: Readonly<Record<number, Spoil>> = {
  400: (good) => ({ ...good, body: '{"a":' }),
  401: (good) => ({ ...good, token: null }),
  403: (good, { role }, { tokens }) => ({ ...good, token: tokens[TOO_LITTLE[role as Role]] }),
  412: (good) => ({ ...good, headers: { 'if-match': '"another"' } }),
  413: (good, { body }) => ({ ...good, body: 'a'.repeat(body!.maxBytes + 1) }),
  415: (good) => ({ ...good, body: 'a=b', contentType: 'text/plain' }),
  421: (good) => ({ ...good, headers: { host: 'rebound.example.com' } }),
  422: (good, { parameters, body }) => {
    if (parameters.some((one) => one.in === 'query')) return { ...good, query: { nonsense: 1 } };
    if (body !== undefined) return { ...good, body: 5 };
    const names = parameters.filter((one) => one.in === 'path' && one.name !== 'node');
    return { ...good, path: Object.fromEntries(names.map(({ name }) => [name, ' '])) };
  },
  508: (good) => ({ ...good, headers: { 'meshgate-forwarded-by': 'another' } }),
};

/** Rejects where nobody has said how the refusal comes about. */
export async function provoke(
  operationId: string,
  status: number,
  entry: Entry,
  way: Way,
): Promise<Answer> {
  const { fleet, name, call } = way;
  const operation = operationOf(way.idOf(operationId));
  const own = entry.refuse?.[status];
  if (own !== undefined) return own(way);
  if (status === 409) return way.callOwner(operationId, entry.good);
  if (status === 429) return guess(operationId, entry, way);
  const spoil = SPOILT[status];
  if (spoil !== undefined) {
    return call(operationId, { ...spoil(entry.good, operation, fleet), isWrong: true });
  }
  const [node] = Object.entries(SILENT_NODES).find(([, answer]) => answer === status) ?? [];
  const wrong = status === 404 ? 'nobody' : node;
  if (wrong !== undefined && name === 'forwarded') {
    return call(operationId, { ...entry.good, path: { ...entry.good.path, node: wrong } });
  }
  throw new Error(`nobody says how ${operation.operationId} comes to answer ${status}`);
}

/** Who is too late at it, after the wait that the guesses before brought about, makes it longer. */
async function guess(operationId: string, { good }: Entry, { call }: Way): Promise<Answer> {
  for (let i = 0; ; i++) {
    const token = `mgt_guess_${i}`;
    const answer = await call(operationId, {
      ...good,
      token,
      localAddress: GUESSER,
      isWrong: true,
    });
    if (answer.status !== 401) return answer;
  }
}
