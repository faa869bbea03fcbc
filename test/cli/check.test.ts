import { describe, expect, it } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { createFolder } from '../gateway/config/config-file.ts';
import { runVerb } from './verb-run.ts';

describe('meshgate check', () => {
  it('ends with 0 for a good file', async () => {
    const folder = await createFolder({ 'm.yaml': 'meshgate: 1\n' });
    expect(await runVerb(check, ['m.yaml'], folder)).toEqual({
      code: 0,
      stdout: 'm.yaml: ok\n',
      stderr: '',
    });
  });

  it('ends with 1 and every issue on stderr for a bad one', async () => {
    const folder = await createFolder({
      'm.yaml': 'meshgate: 1\nroute: []\nroutes: [{ name: a, to: nope }]\n',
    });
    const { code, stdout, stderr } = await runVerb(check, ['m.yaml'], folder);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(
        /^m\.yaml:2:1 route: unknown key "route"; .* \(did you mean "routes"\?\)$/,
      ),
      'm.yaml:3:25 routes[0].to: there is no service "nope" (define it under services)',
      '',
    ]);
  });

  it('proposes nothing that it does not take where there is no such file', async () => {
    const { code, stderr } = await runVerb(check, ['nope.yaml'], await createFolder());
    expect([code, stderr]).toEqual([
      1,
      'nope.yaml:1:1: the file does not exist (write one, or name another)\n',
    ]);
  });

  it('substitutes from the environment it is given', async () => {
    const folder = await createFolder({ 'm.yaml': 'meshgate: 1\nnode: { name: "${N}" }\n' });
    expect(await runVerb(check, ['m.yaml'], folder)).toMatchObject({ code: 1 });
    expect(await runVerb(check, ['m.yaml'], folder, { N: 'a' })).toMatchObject({ code: 0 });
  });

  it('prints JSON where it is asked to', async () => {
    const folder = await createFolder({ 'm.yaml': 'meshgate: 2\n' });
    const { code, stdout, stderr } = await runVerb(check, ['m.yaml', '--json'], folder);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      issues: [
        {
          severity: 'error',
          file: 'm.yaml',
          line: 1,
          column: 11,
          path: 'meshgate',
          message: '2 is not allowed here; allowed: 1',
        },
      ],
    });
  });

  it.each([[[]], [['a', 'b']]])('ends with 2 for the arguments %j', async (argv) => {
    const { code, stderr } = await runVerb(check, argv, '/');
    expect(code).toBe(2);
    expect(stderr).toContain('meshgate check FILE');
  });
});
