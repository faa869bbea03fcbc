import { readFile } from 'node:fs/promises';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { toCommandLinePage } from '../../config/command-line-page.ts';
import { createVerbs } from '../../src/cli/verbs.ts';

const verbs = createVerbs(
  () => Promise.reject(new Error('no app was asked for')),
  pino({ level: 'silent' }),
);

describe('the usage of each verb', () => {
  it.each(verbs)('of $name tells of the options that it takes, and of no others', (verb) => {
    const { usage, options, actions = {} } = verb;
    const taken = [options, ...Object.values(actions)].flatMap((one) => Object.entries(one));
    const told = usage.split(/^Examples?:/m)[0]!;
    const named = new Set(
      Array.from(told.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g), ([, name]) => name),
    );
    expect(named).toEqual(new Set(taken.map(([name]) => name)));
    const shorts = taken.flatMap(([, { short }]) => (short === undefined ? [] : [`-${short}`]));
    expect(shorts.filter((short) => !told.includes(short))).toEqual([]);
  });

  it.each(verbs)('of $name has its exit codes and an example', ({ name, usage }) => {
    expect(usage).toMatch(/[Ee]xit code/);
    const [, examples] = usage.split(/^Examples?:/m);
    expect(examples).toContain(`meshgate ${name}`);
  });

  it.each(verbs)('of $name fits a terminal', ({ usage }) => {
    for (const line of usage.split('\n')) expect(line.length).toBeLessThanOrEqual(108);
  });
});

it('the help of all verbs is docs/command-line.md; run `npm run generate`', async () => {
  const page = new URL('../../docs/command-line.md', import.meta.url);
  expect(await readFile(page, 'utf8')).toBe(toCommandLinePage());
});
