import { afterEach, describe, expect, it, vi } from 'vitest';
import { assertRuntimeFloor } from '../src/runtime-floor.ts';

class Exited extends Error {}

afterEach(() => {
  vi.restoreAllMocks();
});

/** What it says before it ends the process with a code; undefined where it lets it go on. */
function refusalOf(
  version: string,
  entry = 'file:///srv/node_modules/meshgate/dist/main.js',
): { code: unknown; text: string } | undefined {
  let text = '';
  let code: unknown;
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  vi.spyOn(process, 'exit').mockImplementation((given) => {
    code = given;
    throw new Exited();
  });
  try {
    assertRuntimeFloor(version, entry);
    return undefined;
  } catch (error) {
    if (error instanceof Exited) return { code, text };
    throw error;
  }
}

describe('the runtime floor', () => {
  it.each(['24.21.0', '24.21.5', '24.100.0', '25.0.0', '26.3.1'])('admits %s', (version) => {
    expect(refusalOf(version)).toBeUndefined();
  });

  it.each(['24.20.9', '24.2.1', '22.99.0', '20.19.0', '8.0.0', ''])(
    'refuses "%s" with 2 and the reason',
    (version) => {
      const refusal = refusalOf(version);
      expect(refusal?.code).toBe(2);
      expect(refusal?.text).toMatch(/24\.21 or later is needed.*CVE-2026-58044/);
      expect(refusal?.text).toContain(version);
    },
  );

  it('says what to do, of a package by npm alone', () => {
    expect(refusalOf('20.20.2')?.text).toMatch(
      /^meshgate: install it, or have one of its own beside the package: npm install node@24, then npx meshgate$/m,
    );
  });

  it('says what to do in a checkout, which brings its own', () => {
    const refusal = refusalOf('22.99.0', 'file:///srv/meshgate/src/main.ts');
    expect(refusal?.text).toMatch(/^meshgate: .*: npm ci, then npx node src\/main\.ts$/m);
  });
});
