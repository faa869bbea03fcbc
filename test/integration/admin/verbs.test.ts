/** The command line against a running gateway, from the file to the traffic. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { apply } from '../../../src/cli/apply.ts';
import { diff } from '../../../src/cli/diff.ts';
import { history } from '../../../src/cli/history.ts';
import { rollback } from '../../../src/cli/rollback.ts';
import { status, type Fleet } from '../../../src/cli/status.ts';
import { tap } from '../../../src/cli/tap.ts';
import type { Verb } from '../../../src/cli/verb.ts';
import type { VersionDetail } from '../../../src/cli/config-versions.ts';
import { runVerb, type VerbRun } from '../../cli/verb-run.ts';
import { startGateway } from '../gateway-fixture.ts';
import { freePort } from '../../redis/free-port.ts';

interface Ran extends VerbRun {
  /** Of standard output. */
  readonly json: unknown;
}

it('applies a file, tells of it, and takes it back', { timeout: 60_000 }, async () => {
  const port = await freePort();
  const gateway = await startGateway({ admin: { address: `127.0.0.1:${port}` } });
  onTestFinished(() => gateway.stop());
  const { directory } = gateway;
  const ask = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${gateway.httpPort}${path}`)).text();
  // The token is the one of the data directory, which is below this one.
  const env = { MESHGATE_ADMIN: `http://127.0.0.1:${port}` };
  const run = (verb: Verb, ...argv: string[]): Promise<VerbRun> =>
    runVerb(verb, argv, directory, env);
  const runJson = async (verb: Verb, ...argv: string[]): Promise<Ran> => {
    const ran = await run(verb, ...argv, '--json');
    return { ...ran, json: JSON.parse(ran.stdout) as unknown };
  };
  const write = (body: string): Promise<void> =>
    writeFile(
      join(directory, 'shared.yaml'),
      `meshgate: 1\nroutes: [{ name: hello, match: { path: /hello }, respond: { status: 200, body: ${body} } }]\n`,
    );

  await write('first');
  expect(await run(diff, 'shared.yaml', '--live')).toMatchObject({ code: 1, stderr: '' });
  const first = await run(apply, 'shared.yaml', '--yes', '--wait', '-m', 'say hello');
  expect([first.code, first.stderr]).toEqual([0, '']);
  expect(first.stdout).toMatch(
    /^\+ routes\.hello: .*\nversion 1: 1 change\nversion 1 runs on 1 node\n$/,
  );
  // Who waited for it can rely on it.
  expect(await ask('/hello')).toBe('first');
  expect(await run(diff, 'shared.yaml', '--live')).toEqual({ code: 0, stdout: '', stderr: '' });

  await write('second');
  expect(await run(apply, 'shared.yaml', '-y', '--wait')).toMatchObject({ code: 0 });
  expect(await ask('/hello')).toBe('second');
  const well = await runJson(status);
  expect(well.code).toBe(0);
  expect((well.json as Fleet).configuration).toMatchObject({
    owner: 'backplane',
    newest: { version: 2, message: 'apply shared.yaml' },
  });
  expect((well.json as Fleet).nodes).toMatchObject([{ configuration: { state: 'applied' } }]);

  expect(await run(rollback, '1', '-y', '--wait')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('routes.hello.respond.body: "second" → "first"'),
  });
  expect(await ask('/hello')).toBe('first');
  const listed = await runJson(history);
  expect(listed.json).toMatchObject([
    { version: 3, rollback_of: 1 },
    { version: 2 },
    { version: 1, message: 'say hello', author: 'admin-token' },
  ]);
  const [third, , oldest] = listed.json as readonly VersionDetail[];
  expect(third!.hash).toBe(oldest!.hash);
});

it('shows requests as they happen', { timeout: 60_000 }, async () => {
  const port = await freePort();
  const gateway = await startGateway({
    admin: { address: `127.0.0.1:${port}` },
    routes: [{ name: 'hello', match: { path: '/hello' }, respond: { status: 200, body: 'hi' } }],
  });
  onTestFinished(() => gateway.stop());
  const env = { MESHGATE_ADMIN: `http://127.0.0.1:${port}` };
  const ended = new AbortController();
  const argv = ['--status', '2xx', '--limit', '2'];
  const tapped = runVerb(tap, argv, gateway.directory, env).finally(() => ended.abort());
  // From when on it hears of them is not told: there are requests until it has had enough.
  while (!ended.signal.aborted) {
    for (const path of ['/hello', '/nowhere']) {
      await (await fetch(`http://127.0.0.1:${gateway.httpPort}${path}?token=abc`)).text();
    }
  }
  const { code, stdout, stderr } = await tapped;
  expect(code).toBe(0);
  // There may have been more a second than are passed on.
  expect(stderr.replaceAll(/^… not shown: .*\n/gm, '')).toBe('');
  const line = /^[0-9:.]+ GET 200 [0-9.]+ ms \S+\/hello\?token=\(hidden\) hello$/;
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toEqual([expect.stringMatching(line), expect.stringMatching(line)]);
});
