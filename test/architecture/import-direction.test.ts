/** Imports run one way: a room may use the rooms below it, and none above. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');

/** Lowest first. A module belongs to the first room whose path it begins with. */
const ROOMS: readonly (readonly [path: string, level: number])[] = [
  ['errors.ts', 0],
  ['runtime-floor.ts', 0],
  ['version.ts', 0],
  ['plugins/sdk/', 1],
  ['mesh/', 2],
  ['client/', 3],
  ['gateway/', 3],
  ['plugins/', 4],
  ['admin/', 4],
  ['demo/', 4],
  ['fastify/', 4],
  ['cli/', 5],
  ['app/', 6],
  ['app.ts', 6],
  ['main.ts', 7],
];

interface Import {
  readonly from: string;
  readonly to: string;
}

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(SRC, join(entry.parentPath, entry.name)));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, target]) => ({
    from: file,
    to: relative(SRC, resolve(SRC, dirname(file), target!)),
  }));
}

function levelOf(file: string): number {
  const room = ROOMS.find(([path]) => file.startsWith(path));
  if (room === undefined) throw new Error(`${file} is in no room; add it to ROOMS`);
  return room[1];
}

/** All that a module loads, in order; what it imports for its types alone is none of it. */
function closureOf(entry: string): { files: string[]; packages: string[] } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    const text = readFileSync(join(SRC, file), 'utf8');
    for (const [, target] of text.matchAll(/^(?:import|export)(?! type)[^;]*?from '([^']+)';/gms)) {
      if (target!.startsWith('.')) files.add(relative(SRC, resolve(SRC, dirname(file), target!)));
      else if (!target!.startsWith('node:')) packages.add(target!);
    }
  }
  return { files: [...files].toSorted(), packages: [...packages].toSorted() };
}

const imports = sources(SRC).flatMap(importsOf);

describe('import direction', () => {
  it('finds the imports it is to judge', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it('never points to a room above', () => {
    const upward = imports.filter(({ from, to }) => levelOf(from) < levelOf(to));
    expect(upward).toEqual([]);
  });

  it('lets a built-in plugin use the SDK and its own folder alone', () => {
    const strays = imports.filter(({ from, to }) => {
      const own = /^plugins\/([^/]+)\//.exec(from)?.[1];
      if (own === undefined || own === 'sdk') return false;
      return !to.startsWith('plugins/sdk/') && !to.startsWith(`plugins/${own}/`);
    });
    expect(strays).toEqual([]);
  });

  it('lets the client use the mesh alone, and load no library that a caller does not need', () => {
    const { files, packages } = closureOf('client/client.ts');
    const strays = files.filter(
      (file) => !/^(?:client|mesh|plugins\/sdk)\/|^errors\.ts$/.test(file),
    );
    expect(strays).toEqual([]);
    expect(packages).toEqual(['ioredis', 'semver', 'undici']);
  });

  it('gives built-in plugins one door into the SDK', () => {
    const sideDoors = imports.filter(
      ({ from, to }) =>
        /^plugins\/(?!sdk\/)[^/]+\//.test(from) &&
        to.startsWith('plugins/sdk/') &&
        to !== 'plugins/sdk/plugin.ts',
    );
    expect(sideDoors).toEqual([]);
  });
});
