import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseBenchOptions, USAGE } from '../../load-tests/options.ts';
import { GROUPS, SCENARIOS } from '../../load-tests/scenarios/scenario-list.ts';

const KNOWN = {
  scenarios: ['bare', 'swap', 'reload'],
  groups: { changes: ['swap', 'reload'] },
  peers: ['meshgate', 'nginx'],
};

describe('the command line of the bench', () => {
  it('measures everything five times by default, and writes it down', () => {
    expect(parseBenchOptions([], KNOWN)).toMatchObject({
      rounds: 5,
      seconds: 8,
      only: undefined,
      peers: undefined,
      json: 'load-tests/results/latest.json',
      docs: true,
      awake: false,
    });
  });

  it('is short and writes nothing with --quick, unless it is told to', () => {
    const quick = { rounds: 2, seconds: 2, json: undefined, docs: false };
    expect(parseBenchOptions(['--quick'], KNOWN)).toMatchObject(quick);
    expect(
      parseBenchOptions(['--quick', '--json', 'a.json', '--rounds', '3'], KNOWN),
    ).toMatchObject({ ...quick, json: 'a.json', rounds: 3 });
  });

  it('takes lists of scenarios and peers', () => {
    expect(
      parseBenchOptions(['--only', 'swap,bare', '--peers', 'nginx', '--no-docs', '--awake'], KNOWN),
    ).toMatchObject({ only: ['swap', 'bare'], peers: ['nginx'], docs: false, awake: true });
  });

  it('takes groups of scenarios, and each scenario once', () => {
    expect(parseBenchOptions(['--only', 'reload,changes,bare'], KNOWN)).toMatchObject({
      only: ['reload', 'swap', 'bare'],
    });
  });

  it.each([
    [['--only', 'bear'], '--only: there is no "bear", but bare, swap, reload, changes'],
    [['--peers', 'envoy'], '--peers: there is no "envoy", but meshgate, nginx'],
    [['--rounds', '0'], '--rounds takes a whole number'],
    [['--seconds', '1.5'], '--seconds takes a whole number'],
    [['--fast'], '--fast'],
  ])('refuses %j', (args, message) => {
    expect(() => parseBenchOptions(args, KNOWN)).toThrow(message);
  });
});

describe('the scenarios', () => {
  it('have names of their own, and groups have others', () => {
    const names = [...Object.keys(GROUPS), ...SCENARIOS.map(({ name }) => name)];
    expect(new Set(names).size).toBe(names.length);
  });

  it('are in the groups that the usage names', () => {
    for (const group of Object.keys(GROUPS)) expect(USAGE).toMatch(new RegExp(`groups.*${group}`));
  });

  it('have a place in the documentation', async () => {
    const document = await readFile(new URL('../../docs/performance.md', import.meta.url), 'utf8');
    for (const { name } of SCENARIOS) {
      expect(document).toContain(`<!-- bench:${name} -->\n`);
      expect(document).toContain(`<!-- /bench:${name} -->\n`);
    }
  });
});
