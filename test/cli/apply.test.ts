import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VersionReport } from '../../src/admin/resources/configuration-access.ts';
import { apply } from '../../src/cli/apply.ts';
import { check } from '../../src/cli/check.ts';
import { diff } from '../../src/cli/diff.ts';
import { documentOf } from '../gateway/config/shared-document-fixture.ts';
import { stopAdminsAfterEach } from '../admin/admin-fixture.ts';
import { NOTHING, SECRET, SOME } from '../admin/configured-admin.ts';
import { makeToken } from '../admin/token-fixture.ts';
import { FILE, startDesk } from './configuration-verbs.ts';
import { runVerb } from './verb-run.ts';

stopAdminsAfterEach();

const FIRST = { services: { orders: { endpoints: [{ address: '127.0.0.1:3001' }] } } };
const CHANGE =
  '+ routes.orders: {"name":"orders","match":[{"path":"/orders/*"}],"to":"orders","timeout":"5s"}\n';

function told(version: number, ...states: VersionReport['state'][]): VersionReport[] {
  const at = '2026-01-01T00:00:00.000Z';
  return states.map((state, i) => ({
    node: `n${i + 1}`,
    state,
    version: state === 'applied' ? version : version - 1,
    ...(state === 'refused' && { reason: 'the file x.pem cannot be read\nnor can y.pem' }),
    at,
  }));
}

describe('meshgate apply', () => {
  it('shows what changes and writes it as one version', async () => {
    const desk = await startDesk(undefined, {}, FIRST);
    const { code, stdout, stderr } = await desk.run(apply, 'meshgate.yaml', '--yes', '-m', 'more');
    expect([code, stdout, stderr]).toEqual([0, `${CHANGE}version 2: 1 change\n`, '']);
    expect(desk.store.head()).toMatchObject({ version: 2, message: 'more', author: 'admin-token' });
    expect(desk.store.head()!.document.routes).toMatchObject([{ name: 'orders' }]);
  });

  it('says with the version which file it was where nothing is said', async () => {
    const desk = await startDesk(undefined, {}, FIRST);
    await desk.run(apply, 'meshgate.yaml', '-y');
    expect(desk.store.head()!.message).toBe('apply meshgate.yaml');
  });

  it('writes the first version', async () => {
    const desk = await startDesk(undefined, {}, NOTHING);
    expect(await desk.run(apply, 'meshgate.yaml', '--yes')).toMatchObject({ code: 0 });
    expect(desk.store.head()).toMatchObject({ version: 1 });
  });

  it('writes nothing where nothing would change', async () => {
    const desk = await startDesk();
    await desk.run(apply, 'meshgate.yaml', '--yes');
    expect(await desk.run(apply, 'meshgate.yaml', '--yes')).toEqual({
      code: 0,
      stdout: 'nothing to change: version 2 says it already\n',
      stderr: '',
    });
    expect(desk.store.versions).toHaveLength(2);
  });

  it.each(['y', 'Y', 'yes', ' y '])('asks on a terminal, and does it after %j', async (answer) => {
    const desk = await startDesk(undefined, {}, FIRST);
    const { code, stderr } = await desk.answer(answer, apply, 'meshgate.yaml');
    expect([code, stderr]).toEqual([0, 'Apply 1 change to all nodes? [y/N] ']);
    expect(desk.store.head()!.version).toBe(2);
  });

  it.each(['', 'n', 'no', 'yesterday', undefined])('leaves it after %j', async (answer) => {
    const desk = await startDesk(undefined, {}, FIRST);
    const { code, stdout, stderr } = await desk.answer(answer, apply, 'meshgate.yaml');
    expect([code, stdout]).toEqual([1, CHANGE]);
    expect(stderr).toContain('nothing was changed');
    expect(desk.store.writes).toBe(0);
  });

  it('ends with 2 where there is nobody to ask, before it asks the API', async () => {
    const desk = await startDesk();
    await desk.stop();
    const { code, stdout, stderr } = await desk.run(apply, 'meshgate.yaml');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe('there is no terminal to ask on: say --yes, or look with diff first\n');
  });

  it('names the place as check does, also where it is a key', async () => {
    const bad = `${FILE}  - name: b\n    match: [{ path: /b }]\n    to: orders\n    timeot: 1s\n`;
    const desk = await startDesk({ 'bad.yaml': bad });
    const { stderr } = await desk.run(apply, 'bad.yaml', '--yes');
    expect(stderr).toMatch(/^bad\.yaml:11:5 routes\[1\]\.timeot: unknown key/);
    expect((await desk.run(check, 'bad.yaml')).stderr).toContain(stderr);
  });

  it('shows all that the API finds wrong where it stands in the file', async () => {
    const bad = `${FILE}  - name: b\n    match: [{ path: /b }]\n    to: ordres\n    timeout: soon\n`;
    const desk = await startDesk({ 'bad.yaml': bad });
    const { code, stdout, stderr } = await desk.run(apply, 'bad.yaml', '--yes');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^bad\.yaml:10:9 routes\[1\]\.to: .*did you mean "orders"/m);
    expect(stderr).toMatch(/^bad\.yaml:11:14 routes\[1\]\.timeout: /m);
    expect(desk.store.writes).toBe(0);
  });

  it('finds the place in a file whose plugins are a mapping', async () => {
    const file = `${FILE}    plugins: { cors: { origins: 3 } }\n`.replace(
      '  - { name: orders, match: [{ path: /orders/* }], to: orders, timeout: 5s }',
      '  - name: orders\n    match: [{ path: /orders/* }]\n    to: orders',
    );
    const desk = await startDesk({ 'bad.yaml': file });
    const { stderr } = await desk.run(apply, 'bad.yaml', '--yes');
    expect(stderr).toMatch(/^bad\.yaml:10:33 routes\[0\]\.plugins\.cors\.origins: /m);
  });

  it.each([
    [
      'node: { name: edge }\n',
      /file\.yaml:1:1: it has none of services, routes, consumers, plugins/,
    ],
    ['routes:\n  - {\n', /file\.yaml:\d+:\d+: /],
    [
      'routes:\n  - name: a\n    name: b\n',
      /file\.yaml:3:5 routes\[0\]\.name: .*stands here twice/,
    ],
    ['routes: 3\n', /file\.yaml:1:9 routes: must be a list/],
  ])('ends with 1 for a file like %j', async (text, says) => {
    const desk = await startDesk({ 'file.yaml': text });
    const { code, stderr } = await desk.run(apply, 'file.yaml', '--yes');
    expect(code).toBe(1);
    expect(stderr).toMatch(says);
    expect(desk.store.writes).toBe(0);
  });

  it('says so where there is no such file', async () => {
    const desk = await startDesk({});
    const { code, stderr } = await desk.run(apply, 'nowhere.yaml', '--yes');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^nowhere\.yaml:1:1: /);
  });

  it('empties what is shared where the file says so', async () => {
    const desk = await startDesk({ 'none.yaml': 'routes: []\n' });
    expect(await desk.run(apply, 'none.yaml', '--yes')).toMatchObject({ code: 0 });
    expect(desk.store.head()!.document).toEqual(documentOf({}));
  });

  it('loses nobody’s change: it tells who was faster, and writes nothing', async () => {
    const desk = await startDesk(undefined, {}, FIRST);
    const theirs = documentOf({ ...FIRST, consumers: [{ name: 'acme' }] });
    desk.store.beforeWrite = () => {
      desk.store.put(theirs, { author: 'alice', message: 'acme may in' });
    };
    const { code, stdout, stderr } = await desk.run(apply, 'meshgate.yaml', '--yes');
    expect([code, stdout]).toEqual([1, CHANGE]);
    expect(stderr).toMatch(/changed meanwhile; nothing was written\. Run it again/);
    expect(stderr).toMatch(/^ {2}version 2 by alice at .*Z: acme may in$/m);
    expect(desk.store.head()!.document).toEqual(theirs);
  });

  it('says who owns the configuration where the node has it in its file', async () => {
    const desk = await startDesk(undefined, { fileDocument: () => documentOf(SOME) });
    const { code, stderr } = await desk.run(apply, 'meshgate.yaml', '--yes');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /stand in the configuration file of the node at http.*, which owns them/,
    );
  });

  it('says why nothing can be written while the backplane is away', async () => {
    const desk = await startDesk(undefined, {}, FIRST);
    desk.store.beforeWrite = () => (desk.store.outageMs = 5_000);
    const { code, stderr } = await desk.run(apply, 'meshgate.yaml', '--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('The backplane cannot be asked: nobody answers');
  });

  it('tells which role is needed', async () => {
    const desk = await startDesk();
    const { token } = await makeToken(desk, { role: 'viewer' });
    const env = { MESHGATE_ADMIN: desk.url, MESHGATE_TOKEN: token };
    const { code, stderr } = await runVerb(apply, ['meshgate.yaml', '--yes'], desk.folder, env);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^meshgate apply: This needs the role "operator"/),
    ]);
  });

  it('shows no secret', async () => {
    const secret = `${SECRET}-and-more`;
    const file = JSON.stringify({
      ...SOME,
      routes: [{ ...SOME.routes[0], plugins: [{ jwt: { issuer: 'https://id.test', secret } }] }],
    });
    const desk = await startDesk({ 'file.json': file });
    const { code, stdout, stderr } = await desk.run(apply, 'file.json', '--yes');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^~ routes\.orders\.plugins\[0\]\.jwt\.secret: .*hidden/m);
    expect(stdout + stderr).not.toContain(SECRET);
  });

  it('prints what came of it as JSON, and the question elsewhere', async () => {
    const desk = await startDesk(undefined, {}, FIRST);
    const { code, stdout, stderr } = await desk.answer('y', apply, 'meshgate.yaml', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 2,
      changed: true,
      changes: [{ kind: 'added', path: 'routes.orders' }],
    });
    expect(stderr).toBe(`${CHANGE}Apply 1 change to all nodes? [y/N] `);
    const again = await desk.run(apply, 'meshgate.yaml', '--json', '--yes');
    expect(JSON.parse(again.stdout)).toEqual({ version: 2, changed: false, changes: [] });
  });

  it.each([
    [[]],
    [['a', 'b']],
    [['a', '--timeout', '1m', '--yes']],
    [['a', '-y', '--wait', '--timeout', 'soon']],
  ])('ends with 2 for %j', async (argv) => {
    const { code, stderr } = await runVerb(apply, argv, '/');
    expect(code).toBe(2);
    expect(stderr).toContain('meshgate apply FILE');
  });
});

describe('meshgate apply --wait', () => {
  it('waits until every node runs it', async () => {
    const answers = [
      told(2, 'applied', 'pending'),
      told(2, 'applied', 'pending'),
      told(2, 'applied', 'applied'),
    ];
    const desk = await startDesk(
      undefined,
      { rollout: async () => (answers.length > 1 ? answers.shift()! : answers[0]!) },
      FIRST,
    );
    const { code, stdout, stderr } = await desk.run(apply, 'meshgate.yaml', '-y', '--wait');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${CHANGE}version 2: 1 change\nversion 2 runs on 2 nodes\n`);
    expect(answers).toHaveLength(1);
  });

  it('tells who refused it and why, and the way back', async () => {
    const desk = await startDesk(
      undefined,
      { rollout: async () => told(2, 'applied', 'refused') },
      FIRST,
    );
    const { code, stdout, stderr } = await desk.run(apply, 'meshgate.yaml', '-y', '--wait');
    expect([code, stdout]).toEqual([1, `${CHANGE}version 2: 1 change\n`]);
    expect(stderr).toBe(`meshgate apply: version 2 was refused:
  n2: refused, runs version 1: the file x.pem cannot be read
    nor can y.pem
The way back: meshgate rollback 1
`);
  });

  it('shows no way back that would not help: who runs none refuses what was before as well', async () => {
    const refused = { ...told(2, 'refused')[0]!, version: 0, reason: 'there is no key here' };
    const desk = await startDesk(undefined, { rollout: async () => [refused] }, FIRST);
    const { code, stderr } = await desk.run(apply, 'meshgate.yaml', '-y', '--wait');
    expect([code, stderr]).toEqual([
      1,
      'meshgate apply: version 2 was refused:\n  n1: refused, runs none: there is no key here\n',
    ]);
  });

  it('says who has not taken it over in time', async () => {
    const desk = await startDesk(
      undefined,
      { rollout: async () => told(2, 'applied', 'pending') },
      FIRST,
    );
    const argv = ['meshgate.yaml', '-y', '--wait', '--timeout', '400ms'];
    const { code, stderr } = await desk.run(apply, ...argv);
    expect([code, stderr]).toEqual([
      1,
      `meshgate apply: after 0.4 s version 2 runs on 1 of 2 nodes\n  n2: pending, runs version 1\n`,
    ]);
  });

  it('takes a newer version for the one that it waits for', async () => {
    const desk = await startDesk(
      undefined,
      { rollout: async () => [{ ...told(2, 'pending')[0]!, version: 3 }] },
      FIRST,
    );
    const { code, stdout } = await desk.run(apply, 'meshgate.yaml', '-y', '--wait');
    expect([code, stdout.split('\n').at(-2)]).toEqual([
      0,
      'version 2 runs on 1 node, 1 of them a newer one already',
    ]);
  });

  it('prints the nodes as JSON, also where nothing had to be written', async () => {
    const desk = await startDesk(undefined, { rollout: async (v) => told(v, 'applied') }, FIRST);
    await desk.run(apply, 'meshgate.yaml', '-y');
    const { code, stdout } = await desk.run(apply, 'meshgate.yaml', '-y', '--wait', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 2,
      changed: false,
      nodes: [{ node: 'n1', state: 'applied', version: 2 }],
    });
  });
});

describe('meshgate diff --live', () => {
  it('says what apply would change, and changes nothing', async () => {
    const desk = await startDesk(undefined, {}, FIRST);
    const { token } = await makeToken(desk, { role: 'viewer' });
    const env = { MESHGATE_ADMIN: desk.url, MESHGATE_TOKEN: token };
    const look = (...more: string[]) =>
      runVerb(diff, ['meshgate.yaml', '--live', ...more], desk.folder, env);
    expect(await look()).toEqual({ code: 1, stdout: CHANGE, stderr: '' });
    expect(JSON.parse((await look('--json')).stdout)).toMatchObject([{ kind: 'added' }]);
    expect(desk.store.writes).toBe(0);
    await desk.run(apply, 'meshgate.yaml', '-y');
    expect(await look()).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('ends with 2 where it cannot be told: 1 says that something differs', async () => {
    const desk = await startDesk();
    await writeFile(join(desk.folder, 'bad.yaml'), 'routes: 3\n');
    expect(await desk.run(diff, 'bad.yaml', '--live')).toMatchObject({ code: 2 });
    expect(await desk.run(diff, 'meshgate.yaml', '--live', '--against', 'x')).toMatchObject({
      code: 2,
    });
    await desk.stop();
    expect(await desk.run(diff, 'meshgate.yaml', '--live')).toMatchObject({ code: 2 });
  });
});
