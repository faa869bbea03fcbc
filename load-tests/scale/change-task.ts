/** Changes one route of so many, several times, as a version that nodes share would, and prints what each change cost, as JSON. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CompiledSnapshot } from '../../src/gateway/config/compile.ts';
import { createConfigLoader } from '../../src/gateway/config/load-in-thread.ts';
import {
  EMPTY_DOCUMENT,
  toCanonicalJson,
} from '../../src/gateway/config/versions/shared-document.ts';
import { watchLoop } from './loop-gap.ts';
import { createStandaloneFactory } from './snapshot-parts.ts';

export interface ChangeCost {
  readonly tookMs: number;
  /** CPU time of the thread that serves. */
  readonly servingMs: number;
  /** Of the process's other threads: the one that loads, and those that collect garbage. */
  readonly othersMs: number;
  readonly longestTurnMs: number;
}

const [routes, changes] = process.argv.slice(2).map(Number) as [number, number];
/** Services that the routes share. */
const SERVICES = Math.min(100, routes);

function toJson(edition: number): string {
  const services = Array.from({ length: SERVICES }, (_, i) => {
    const endpoint = { address: `127.0.0.1:${3000 + i}` };
    return [`service-${i}`, { endpoints: [endpoint] }] as const;
  });
  const list = Array.from({ length: routes }, (_, i) => ({
    name: `route-${i}`,
    match: [{ path: `/route-${i}/*` }],
    to: `service-${i % SERVICES}`,
    // One in the middle is another one each time.
    ...(i === routes >> 1 && { timeout: `${10 + edition}s` }),
  }));
  return toCanonicalJson({
    ...EMPTY_DOCUMENT,
    services: Object.fromEntries(services),
    routes: list,
  });
}

const directory = mkdtempSync(join(tmpdir(), 'meshgate-change-'));
const file = join(directory, 'meshgate.yaml');
writeFileSync(file, 'meshgate: 1\nlisteners: [{ name: public, address: 127.0.0.1:1 }]\n');
const loader = createConfigLoader({
  module: new URL('../../src/plugins/standard.ts', import.meta.url),
  name: 'standardPlugins',
});
loader.keepReady(true);
const factory = createStandaloneFactory();
let current: CompiledSnapshot | undefined;

async function change(edition: number, json: string): Promise<ChangeCost> {
  const others = process.cpuUsage();
  const { tookMs, cpuMs, longestMs } = await watchLoop(async () => {
    const loaded = await loader.load(file, { shared: { name: 'version', json } });
    if (!loaded.ok) throw new Error(loaded.issues[0]?.message);
    const next = await factory.compile(loaded.config, edition, loaded.hash);
    current?.lease.supersede();
    current = next;
  });
  const { user, system } = process.cpuUsage(others);
  const othersMs = (user + system) / 1000 - cpuMs;
  return { tookMs, servingMs: cpuMs, othersMs, longestTurnMs: longestMs };
}

const costs: ChangeCost[] = [];
for (let edition = 1; edition <= changes + 1; edition++) {
  costs.push(await change(edition, toJson(edition)));
}
await loader.close();
rmSync(directory, { recursive: true });
// The first one is of all of them.
console.log(JSON.stringify({ first: costs[0], changes: costs.slice(1) }));
