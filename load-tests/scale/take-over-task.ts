/** Loads and compiles the configuration file that is named, several times, and prints how long each took, as JSON. */
import { readFileSync } from 'node:fs';
import { createConfigLoader } from '../../src/gateway/config/load-in-thread.ts';
import { readSourceDocument } from '../../src/gateway/config/source-document.ts';
import { AS_WRITTEN } from '../../src/gateway/config/substitute.ts';
import { watchLoop } from './loop-gap.ts';
import { createStandaloneFactory } from './snapshot-parts.ts';

export interface TakeOver {
  /** Text to plain data alone, in this thread. */
  readonly readMs: number;
  /** In a thread, of the file until the whole of the configuration is here. */
  readonly loadMs: number;
  readonly compileMs: number;
  /** Of the thread that serves. */
  readonly cpuMs: number;
  readonly longestMs: number;
}

const [file, times] = process.argv.slice(2);
const loader = createConfigLoader({
  module: new URL('../../src/plugins/standard.ts', import.meta.url),
  name: 'standardPlugins',
});
const factory = createStandaloneFactory();
const results: TakeOver[] = [];

function timeReading(): number {
  const text = readFileSync(file!, 'utf8');
  const start = performance.now();
  readSourceDocument(text, AS_WRITTEN, () => undefined);
  return performance.now() - start;
}

for (let revision = 1; revision <= Number(times); revision++) {
  const readMs = timeReading();
  const load = await watchLoop(() => loader.load(file!));
  const loaded = load.result;
  if (!loaded.ok) throw new Error(loaded.issues[0]?.message);
  const compile = await watchLoop(() => factory.compile(loaded.config, revision, loaded.hash));
  compile.result.lease.supersede();
  results.push({
    readMs,
    loadMs: load.tookMs,
    compileMs: compile.tookMs,
    cpuMs: load.cpuMs + compile.cpuMs,
    longestMs: Math.max(load.longestMs, compile.longestMs),
  });
}
await loader.close();
console.log(JSON.stringify(results));
