/**
 * The program's sources and what they import in a few files, since the tests start some two hundred
 * processes: to load the 2,600 modules as they are costs each of them 0.7 s of processor time, a bundle
 * 0.2 s. What users run, sources or package, is what test/packaging starts.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { isFullLaneAlone, NO_WIRE_LANE, WIRE_LANE } from '../../full-lane/tested-lane.ts';

/** By where each must be found from the others: `new URL(…, import.meta.url)` is not rewritten. */
const ENTRIES = {
  'app/main': 'src/main.ts',
  'app/load-thread': 'src/gateway/config/load-thread.ts',
  'app/yaml-worker': 'src/gateway/config/yaml-worker.ts',
  'app/worker-process': 'src/app/worker-process.ts',
  'plugins/standard': 'src/plugins/standard.ts',
} as const;

const WITHOUT_WIRE_LANE = {
  name: 'without-wire-lane',
  resolveId: (specifier: string) => (WIRE_LANE.test(specifier) ? NO_WIRE_LANE : undefined),
};

/** How long another process is given to make it, in ms. */
const PATIENCE_MS = 30_000;

/** Makes the bundle where a source has changed since the last; resolves to its entry. */
export async function bundleProgram(checkout: string): Promise<string> {
  const cache = join(checkout, 'node_modules/.cache/meshgate');
  const folder = join(cache, await fingerprint(checkout));
  const main = join(folder, 'app/main.js');
  if (await exists(main)) {
    // In use, whatever its age: it is not for another checkout to remove.
    const now = new Date();
    await utimes(folder, now, now);
    return main;
  }

  await mkdir(cache, { recursive: true });
  const claim = `${folder}.claim`;
  const ours = await mkdir(claim).then(
    () => true,
    () => false,
  );
  if (!ours) {
    for (const until = performance.now() + PATIENCE_MS; performance.now() < until;) {
      await new Promise((next) => setTimeout(next, 50));
      if (await exists(main)) return main;
    }
  }
  const made = await mkdtemp(join(cache, 'making-'));
  try {
    await bundle(checkout, made);
    // Whole or not at all; where two made it, the first one stays.
    await rename(made, folder).catch(async (error: unknown) => {
      if (!(await exists(main))) throw error;
    });
    if (ours) await removeOld(cache);
  } finally {
    await rm(made, { recursive: true, force: true });
    await rm(claim, { recursive: true, force: true });
  }
  return main;
}

async function bundle(checkout: string, folder: string): Promise<void> {
  const made = await rolldown({
    cwd: checkout,
    input: ENTRIES,
    platform: 'node',
    logLevel: 'silent',
    plugins: isFullLaneAlone ? [WITHOUT_WIRE_LANE] : [],
  });
  await made.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'app/[name]-[hash].js',
  });
  await made.close();
  await copyFile(join(checkout, 'package.json'), join(folder, 'package.json'));
}

/** Of the lane, every source's name, size and time, and the dependencies. */
async function fingerprint(checkout: string): Promise<string> {
  const sources = (await readdir(join(checkout, 'src'), { recursive: true }))
    .filter((name) => name.endsWith('.ts'))
    .toSorted()
    .map((name) => join(checkout, 'src', name));
  const files = [
    ...sources,
    join(checkout, 'package-lock.json'),
    import.meta.filename,
    NO_WIRE_LANE,
  ];
  const facts = await Promise.all(files.map((file) => stat(file)));
  const hash = createHash('sha256').update(`${isFullLaneAlone}\n`);
  for (const [index, { size, mtimeMs }] of facts.entries()) {
    hash.update(`${files[index]} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Younger ones may be in use by another checkout with the same dependencies, which may remove some as well. */
async function removeOld(cache: string): Promise<void> {
  const dayAgo = Date.now() - 24 * 3600 * 1000;
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < dayAgo) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
