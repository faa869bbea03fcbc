import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createVerbs } from '../../src/cli/verbs.ts';
import { createFolder } from '../gateway/config/config-file.ts';
import { runVerb } from './verb-run.ts';

const run = promisify(execFile);
const verbs = createVerbs(
  () => Promise.reject(new Error('no app was asked for')),
  pino({ level: 'silent' }),
);
const completion = verbs.find(({ name }) => name === 'completion')!;

async function scriptFor(shell: string): Promise<string> {
  const { code, stdout } = await runVerb(completion, [shell], '/');
  expect(code).toBe(0);
  return stdout;
}

async function hasShell(name: string): Promise<boolean> {
  return run(name, ['-c', 'true']).then(
    () => true,
    () => false,
  );
}

const HAS_ZSH = await hasShell('zsh');
const HAS_FISH = await hasShell('fish');

describe('completion in bash', () => {
  /** What is offered for the last of the words. */
  async function complete(...words: string[]): Promise<string[]> {
    const folder = await createFolder({
      'meshgate.yaml': '',
      'completion.bash': await scriptFor('bash'),
    });
    const script = `source completion.bash
complete -p meshgate >/dev/null || exit 9
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
compopt() { :; }
_meshgate
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const args = ['--norc', '-c', script, 'bash', 'meshgate', ...words];
    const { stdout } = await run('bash', args, { cwd: folder });
    return stdout.split('\n').filter((line) => line !== '');
  }

  it('offers every verb', async () => {
    expect(await complete('')).toEqual([...verbs.map(({ name }) => name), '--help', '--version']);
    expect(await complete('se')).toEqual(['services']);
  });

  it.each<[string[], string[]]>([
    [['apply', '--w'], ['--wait']],
    [
      ['apply', '-'],
      ['--yes', '-y', '--message', '-m', '--wait', '--timeout', '--json', '--help', '-h'],
    ],
    [['apply', 'meshg'], ['meshgate.yaml']],
    [['start', '--config', 'meshg'], ['meshgate.yaml']],
    [
      ['token', ''],
      ['create', 'list', 'revoke'],
    ],
    [['token', 'create', '--ro'], ['--role']],
    [
      ['token', 'create', '--role', ''],
      ['viewer', 'operator', 'admin'],
    ],
    [['token', 'list', '--ro'], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['sidecar', 'orders', '--protocol', 'h'],
      ['http1', 'h2c'],
    ],
    [['apply', '-m', 'meshg'], []],
    [['drain', 'x', '--n'], ['--node']],
    [['nonsense', ''], []],
  ])('of %j offers %j', async (words, offered) => {
    expect(await complete(...words)).toEqual(offered);
  });
});

describe('completion in other shells', () => {
  it.skipIf(!HAS_ZSH)('zsh understands the script', async () => {
    const folder = await createFolder({ _meshgate: await scriptFor('zsh') });
    await run('zsh', ['-n', '_meshgate'], { cwd: folder });
    const load = 'autoload -U compinit; compinit -u -D; source ./_meshgate; whence -w _meshgate';
    const { stdout } = await run('zsh', ['-f', '-c', load], { cwd: folder });
    expect(stdout).toBe('_meshgate: function\n');
  });

  it.skipIf(!HAS_FISH)('fish offers verbs, options and their values', async () => {
    const folder = await createFolder({ 'meshgate.fish': await scriptFor('fish') });
    const complete = async (line: string): Promise<string[]> => {
      const script = `source meshgate.fish; complete -C '${line}'`;
      const { stdout } = await run('fish', ['--no-config', '-c', script], {
        cwd: folder,
        env: { ...process.env, HOME: folder },
      });
      return stdout
        .split('\n')
        .filter((text) => text !== '')
        .map((text) => text.split('\t', 1)[0]!);
    };
    expect(await complete('meshgate ro')).toEqual(['rollback']);
    expect(await complete('meshgate apply --wa')).toEqual(['--wait']);
    expect(await complete('meshgate token create --role ')).toEqual(
      expect.arrayContaining(['viewer', 'operator', 'admin']),
    );
    expect(await complete('meshgate token ')).toEqual(['create', 'list', 'revoke']);
  });

  it.each(['zsh', 'fish'])('the script for %s names every verb and option', async (shell) => {
    const script = await scriptFor(shell);
    for (const { name, options, actions = {} } of verbs) {
      expect(script).toContain(name);
      for (const option of [options, ...Object.values(actions)].flatMap((one) =>
        Object.keys(one),
      )) {
        expect(script).toContain(shell === 'fish' ? `-l ${option}` : `--${option}`);
      }
    }
  });

  it.each([[[]], [['tcsh']], [['bash', 'zsh']]])('ends with 2 for %j', async (argv) => {
    expect(await runVerb(completion, argv, '/')).toMatchObject({ code: 2 });
  });
});
