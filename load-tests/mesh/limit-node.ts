/** One node of the measurement of shared limits: sends requests at a steady rate to counters of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import { createRedisBackplane } from '../../src/mesh/backplane/redis/redis-backplane.ts';
import { parseRedisUrl } from '../../src/mesh/backplane/redis/redis-target.ts';
import { RedisWindows } from '../../src/mesh/limits/redis-windows.ts';
import { createSharedCounters } from '../../src/mesh/limits/shared-counters.ts';
import type { LimitVerdict } from '../../src/plugins/sdk/plugin-context.ts';
import type { NodeReport, NodeTask } from './limit-task.ts';

const TICK_MS = 5;

const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const random = Math.random;

async function run(task: NodeTask): Promise<NodeReport> {
  const target = parseRedisUrl(task.redisUrl);
  const backplane = createRedisBackplane({ target, clock, log, random });
  await backplane.start();
  const liveNodes = (): number => task.nodes;
  const windows = new RedisWindows(backplane, 'meshgate');
  const counters = createSharedCounters({ windows, clock, log, random, liveNodes });
  const { name, points, windowMs, mode } = task;
  const limiter = counters.limiter({ name, points, windowMs, mode });
  const admitted = Array.from({ length: task.keys }, () => 0);
  const waitsMs: number[] = [];
  let requests = 0;
  let fallbacks = 0;
  const open = new Set<Promise<void>>();

  const settle = (key: number, verdict: LimitVerdict): void => {
    if (verdict.allowed) admitted[key]!++;
    if (verdict.fallback !== undefined) fallbacks++;
  };
  const send = (): void => {
    // Spread by a step that has no factor in common with the number of keys.
    const key = (requests++ * 7919) % task.keys;
    const verdict = limiter.consume(`caller-${key}`);
    if (!(verdict instanceof Promise)) {
      settle(key, verdict);
      return;
    }
    const sentAtMs = performance.now();
    const pending = verdict.then((late) => {
      settle(key, late);
      waitsMs.push(performance.now() - sentAtMs);
      open.delete(pending);
    });
    open.add(pending);
  };

  await delay(Math.max(0, task.startAt - Date.now()));
  const startMs = performance.now();
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    const due = Math.floor((Math.min(elapsedMs, task.durationMs) * task.perSecond) / 1000);
    for (let missing = due - requests; missing > 0; missing--) send();
    if (elapsedMs >= task.durationMs) break;
    await delay(TICK_MS);
  }
  await Promise.all(open);
  counters.close();
  await backplane.close();
  return { requests, admitted, fallbacks, waitsMs };
}

const report = await run(JSON.parse(process.argv[2]!) as NodeTask);
console.log(JSON.stringify(report));
