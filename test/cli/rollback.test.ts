import { describe, expect, it } from 'vitest';
import { history } from '../../src/cli/history.ts';
import { rollback } from '../../src/cli/rollback.ts';
import { hashDocument } from '../../src/gateway/config/versions/shared-document.ts';
import { documentOf } from '../gateway/config/shared-document-fixture.ts';
import { stopAdminsAfterEach } from '../admin/admin-fixture.ts';
import { NOTHING, SECRET, SOME } from '../admin/configured-admin.ts';
import { startDesk, type Desk } from './configuration-verbs.ts';
import { runVerb } from './verb-run.ts';

stopAdminsAfterEach();

const SECOND = documentOf({
  ...SOME,
  routes: [{ ...SOME.routes[0], timeout: '3s', plugins: [] }],
  consumers: [],
});

/** With `SOME` as version 1, and another one that has neither its secret nor its consumer. */
async function open(): Promise<Desk> {
  const desk = await startDesk({});
  desk.store.put(SECOND, { author: 'alice', message: 'less\nof it' });
  return desk;
}

describe('meshgate rollback', () => {
  it('shows what changes, without a secret, and says an earlier version again', async () => {
    const desk = await open();
    const { code, stdout, stderr } = await desk.run(rollback, '1', '--yes', '-m', 'too little');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^- routes\.orders\.timeout: "3s"$/m);
    expect(stdout).toMatch(/^\+ consumers\.acme: \{.*hash.*\}$/m);
    expect(stdout).toMatch(/^version 3: \d changes$/m);
    expect(stdout).not.toContain(SECRET);
    expect(desk.store.head()).toMatchObject({ version: 3, message: 'too little', rollbackOf: 1 });
    expect(desk.store.head()!.hash).toBe(hashDocument(documentOf(SOME)));
  });

  it('asks on a terminal', async () => {
    const desk = await open();
    const { code, stderr } = await desk.answer('n', rollback, '1');
    expect(code).toBe(1);
    expect(stderr).toMatch(/Roll all nodes back to version 1, with \d changes\? \[y\/N\] /);
    expect(desk.store.writes).toBe(0);
  });

  it('has nothing to do where the newest version says it already', async () => {
    const desk = await open();
    expect(await desk.run(rollback, '2', '--yes')).toMatchObject({
      code: 0,
      stdout: 'nothing to change: version 2 says it already\n',
    });
    expect(desk.store.versions).toHaveLength(2);
  });

  it('ends with 1 where there is no such version', async () => {
    const desk = await open();
    const { code, stderr } = await desk.run(rollback, '9', '--yes');
    expect([code, stderr]).toEqual([
      1,
      'meshgate rollback: There is no version 9, or no longer.\n',
    ]);
  });

  it('does not undo what came in between', async () => {
    const desk = await open();
    desk.store.beforeWrite = () => {
      desk.store.put(documentOf({}), { author: 'bob', message: 'all gone' });
    };
    const { code, stderr } = await desk.run(rollback, '1', '--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('version 3 by bob');
    expect(desk.store.head()!.version).toBe(3);
  });

  it.each([[[]], [['1', '2']], [['0', '-y']], [['one', '-y']], [['1.5', '-y']]])(
    'ends with 2 for %j',
    async (argv) => {
      const { code, stderr } = await runVerb(rollback, argv, '/');
      expect(code).toBe(2);
      expect(stderr).toContain('meshgate rollback VERSION');
    },
  );
});

it('ends with 2 and the reason alone where there is no terminal to ask on', async () => {
  expect(await runVerb(rollback, ['1'], '/')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'there is no terminal to ask on: say --yes, or look with diff first\n',
  });
});

describe('meshgate history', () => {
  it('lists the versions, newest first, with what stands out', async () => {
    const desk = await open();
    await desk.run(rollback, '1', '--yes', '-m', 'too little');
    await desk.store.pin(2, true);
    const { code, stdout } = await desk.run(history);
    expect(code).toBe(0);
    const first = hashDocument(documentOf(SOME)).slice(0, 8);
    expect(stdout).toBe(`VERSION  AT                        BY           HASH      MESSAGE
      3  1970-01-01T00:00:03.000Z  admin-token  ${first}  too little (says version 1 again)
      2  1970-01-01T00:00:02.000Z  alice        ${hashDocument(SECOND).slice(0, 8)}  less (pinned)
      1  1970-01-01T00:00:01.000Z  another      ${first}  by another
`);
    const listed = await desk.run(history, '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { version: 3, rollback_of: 1 },
      { version: 2, pinned: true },
      { version: 1 },
    ]);
  });

  it('shows one: what it changed and who runs it', async () => {
    const at = '2026-01-01T00:00:00.000Z';
    const desk = await startDesk(
      {},
      {
        rollout: async (version) => [
          { node: 'n1', state: 'applied', version, at },
          { node: 'n2', state: 'pending', version: 1, at },
        ],
      },
    );
    desk.store.put(documentOf({ ...SOME, consumers: [] }), { author: 'alice', message: 'less' });
    const { code, stdout } = await desk.run(history, '2');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^version 2 by alice at 1970-01-01T00:00:02\.000Z: less\nhash [0-9a-f]{64}\n/,
    );
    expect(stdout).toMatch(/changes since version 1\n- consumers\.acme: .*\n\nnodes\n/);
    expect(stdout).toMatch(/\n {2}n1: applied\n {2}n2: pending, runs version 1\n$/);
    const detail = JSON.parse((await desk.run(history, '2', '--json')).stdout) as object;
    expect(detail).toMatchObject({ version: 2, previous: 1, document: { consumers: [] } });
  });

  it('says so where there is none, and what is not known in an outage', async () => {
    const empty = await startDesk({}, {}, NOTHING);
    expect(await empty.run(history)).toMatchObject({
      code: 0,
      stdout: 'no version has been written\n',
    });
    const desk = await open();
    desk.store.outageMs = 12_000;
    expect(await desk.run(history)).toMatchObject({
      code: 0,
      stderr: 'as of 12 s ago: the node cannot ask the backplane\n',
    });
  });

  it('lets no message steer the terminal', async () => {
    const desk = await open();
    desk.store.put(documentOf({}), { message: 'a\u001B[2Jb', author: 'x\u202Ey' });
    for (const argv of [[], ['3']]) {
      const { stdout } = await desk.run(history, ...argv);
      expect(stdout).toMatch(/a\?\[2Jb/);
      expect(stdout).toContain('x?y');
    }
  });

  it.each([[['x']], [['1', '2']]])('ends with 2 for %j', async (argv) => {
    expect(await runVerb(history, argv, '/')).toMatchObject({ code: 2 });
  });
});
