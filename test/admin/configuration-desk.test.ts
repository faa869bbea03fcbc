import { describe, expect, it } from 'vitest';
import {
  createDesk,
  type ChangeOrder,
  type DeskDependencies,
} from '../../src/admin/configuration-desk.ts';
import type { ConfigIssue } from '../../src/gateway/config/issue.ts';
import {
  EMPTY_DOCUMENT,
  type SharedDocument,
} from '../../src/gateway/config/versions/shared-document.ts';
import type { WriteOutcome } from '../../src/gateway/config/versions/version-store.ts';
import { documentOf } from '../gateway/config/shared-document-fixture.ts';
import { MemoryVersionStore } from './memory-version-store.ts';

const A = documentOf({ consumers: [{ name: 'a' }] });
const B = documentOf({ consumers: [{ name: 'b' }] });

function open(options: Partial<DeskDependencies> = {}, store = new MemoryVersionStore()) {
  const desk = createDesk({
    store,
    check: async () => [],
    fileDocument: () => undefined,
    ...options,
  });
  return { desk, store };
}

function order(
  document: SharedDocument,
  subjectOf: ChangeOrder['subjectOf'] = () => 0,
): ChangeOrder {
  return { author: 'me', message: 'why', subjectOf, edit: () => ({ document }) };
}

function issue(severity: ConfigIssue['severity']): ConfigIssue {
  return { severity, file: 'x', line: 1, column: 1, path: 'routes[0]', message: 'no' };
}

describe('the desk', () => {
  it('writes a first version, and no second one that says the same', async () => {
    const { desk, store } = open();
    expect(await desk.read()).toEqual({
      owner: 'backplane',
      document: EMPTY_DOCUMENT,
      head: undefined,
      stalenessMs: 0,
    });
    expect(await desk.change(order(EMPTY_DOCUMENT))).toMatchObject({
      kind: 'written',
      version: { version: 1 },
    });
    expect(await desk.change(order(EMPTY_DOCUMENT))).toMatchObject({ kind: 'unchanged' });
    expect(await desk.change(order(A))).toMatchObject({
      kind: 'written',
      before: EMPTY_DOCUMENT,
      document: A,
    });
    expect(await desk.read()).toMatchObject({
      document: A,
      head: { version: 2, author: 'me', message: 'why' },
    });
    expect((await desk.read())!.head).not.toHaveProperty('document');
    expect(store.versions.length).toBe(2);
  });

  it('asks for everything that is wrong before it writes, and writes with warnings', async () => {
    const told = [issue('warning'), issue('error')];
    const strict = open({ check: async () => told });
    expect(await strict.desk.change(order(A))).toEqual({
      kind: 'invalid',
      document: A,
      issues: told,
    });
    expect(strict.store.writes).toBe(0);
    const lenient = open({ check: async () => told.slice(0, 1) });
    expect(await lenient.desk.change(order(A))).toMatchObject({
      kind: 'written',
      warnings: told.slice(0, 1),
    });
  });

  it('does not check what changes nothing', async () => {
    const store = new MemoryVersionStore();
    store.put(A);
    const { desk } = open({ check: () => Promise.reject(new Error('not to be asked')) }, store);
    expect(await desk.change(order(A))).toMatchObject({ kind: 'unchanged' });
  });

  it('gives up where others are always first', async () => {
    const { desk, store } = open();
    let rivals = 0;
    const overtaken = (): void => {
      store.put(documentOf({ consumers: [{ name: `r${rivals++}` }] }));
      store.beforeWrite = overtaken;
    };
    store.beforeWrite = overtaken;
    expect(await desk.change(order(B))).toEqual({ kind: 'contended' });
    expect([rivals, store.writes]).toEqual([16, 16]);
  });

  it('waits to hear of the version that came in between', async () => {
    class LateStore extends MemoryVersionStore {
      override async write(
        ...args: Parameters<MemoryVersionStore['write']>
      ): Promise<WriteOutcome> {
        if (this.writes++ > 0) return super.write(...args);
        // Written already, and told about a turn later.
        setImmediate(() => this.put(A));
        return {
          written: false,
          head: { version: 1, author: 'x', at: '', message: '', hash: 'x', pinned: false },
        };
      }
    }
    const { desk, store } = open({}, new LateStore());
    expect(await desk.change(order(B))).toMatchObject({
      kind: 'written',
      before: A,
      version: { version: 2 },
    });
    expect(store.versions.map(({ document }) => document)).toEqual([A, B]);
  });

  it('does not wait for ever to hear of it', async () => {
    const delays: number[] = [];
    class DeafStore extends MemoryVersionStore {
      override async write(): Promise<WriteOutcome> {
        const version = { version: 1, author: 'x', at: '', message: '', hash: 'x', pinned: false };
        return { written: true, version };
      }
    }
    const { desk } = open(
      {
        schedule(delayMs, run) {
          delays.push(delayMs);
          queueMicrotask(run);
          return () => {};
        },
      },
      new DeafStore(),
    );
    expect(await desk.change(order(A))).toMatchObject({ kind: 'written' });
    expect(delays).toEqual([2_000]);
  });

  it('does not write over a version that it cannot read', async () => {
    class BlindStore extends MemoryVersionStore {
      override async write(): Promise<WriteOutcome> {
        this.writes++;
        return {
          written: false,
          head: { version: 7, author: 'x', at: '', message: '', hash: 'x', pinned: false },
        };
      }
    }
    const schedule = (_: number, run: () => void) => {
      queueMicrotask(run);
      return () => {};
    };
    const { desk, store } = open({ schedule }, new BlindStore());
    expect(await desk.change(order(A))).toEqual({ kind: 'behind', version: 7 });
    expect(store.writes).toBe(1);
  });

  it('lets changes of one node take turns, each upon the one before', async () => {
    const { desk, store } = open();
    const added = (name: string): ChangeOrder => ({
      ...order(A),
      edit: ({ document }) => ({
        document: { ...document, consumers: [...document.consumers, { name }] },
      }),
    });
    const outcomes = await Promise.all(['a', 'b', 'c'].map((name) => desk.change(added(name))));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['written', 'written', 'written']);
    expect([store.writes, store.head()!.document.consumers.length]).toEqual([3, 3]);
  });

  it('has room for so many that wait, and no more', async () => {
    const go = Promise.withResolvers<readonly ConfigIssue[]>();
    const { desk } = open({ check: () => go.promise });
    const waiting = Array.from({ length: 64 }, (_, i) =>
      desk.change(order(documentOf({ consumers: [{ name: `c${i}` }] }))),
    );
    expect(await desk.change(order(A))).toEqual({ kind: 'contended' });
    go.resolve([]);
    expect((await Promise.all(waiting)).every(({ kind }) => kind === 'written')).toBe(true);
    expect(await desk.change(order(A))).toMatchObject({ kind: 'written' });
  });

  it('goes by what another node has just written, though the news has not come yet', async () => {
    const { desk, store } = open();
    store.put(A);
    const known = store.head()!;
    store.put(B);
    // The news comes once it is asked for.
    let isHeard = false;
    const head = store.head;
    store.head = () => (isHeard ? head() : known);
    const newest = store.newest;
    store.newest = async () => {
      isHeard = true;
      return newest();
    };
    // What was written before it was asked is no conflict with it, and A is not unchanged.
    expect(await desk.change(order(A, (document) => document))).toMatchObject({
      kind: 'written',
      version: { version: 3 },
      before: B,
    });
    expect(await desk.change(order(A))).toMatchObject({ kind: 'unchanged' });
    store.outageMs = 5;
    expect(await desk.change(order(A))).toMatchObject({ kind: 'unavailable' });
    expect(store.writes).toBe(1);
  });

  it('goes on after a change that failed', async () => {
    const { desk } = open();
    const failing = { ...order(A), edit: () => Promise.reject(new Error('a fault')) };
    const [first, second] = await Promise.allSettled([desk.change(failing), desk.change(order(B))]);
    expect([first.status, second]).toMatchObject(['rejected', { value: { kind: 'written' } }]);
  });

  it('leaves what the file owns to the file', async () => {
    const { desk, store } = open({ fileDocument: () => A });
    store.outageMs = 5;
    expect(await desk.read()).toEqual({
      owner: 'file',
      document: A,
      head: undefined,
      stalenessMs: 0,
    });
    expect(await desk.change(order(B))).toEqual({ kind: 'owned-by-file' });
  });

  it('makes nothing up while it has not heard of the backplane', async () => {
    const { desk, store } = open();
    store.outageMs = 5;
    expect(await desk.read()).toBeUndefined();
    expect(await desk.change(order(B))).toMatchObject({ kind: 'unavailable' });
    store.put(A);
    expect(await desk.read()).toMatchObject({ document: A, stalenessMs: 5 });
    expect(await desk.change(order(B))).toMatchObject({
      kind: 'unavailable',
      error: { message: 'nobody answers' },
    });
    expect(store.versions.length).toBe(1);
  });
});
