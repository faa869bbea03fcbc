/** A master, its replica and three Sentinels, all real. */
import { setTimeout as wait } from 'node:timers/promises';
import type { RedisTarget } from '../../src/mesh/backplane/redis/redis-target.ts';
import { freePorts } from './free-port.ts';
import { RedisProcess } from './redis-process.ts';

export interface SentinelGroup {
  readonly target: RedisTarget;
  readonly master: RedisProcess;
  readonly replica: RedisProcess;
  readonly sentinels: readonly RedisProcess[];
  stop(): Promise<void>;
}

const NAME = 'mymaster';

export async function startSentinelGroup(): Promise<SentinelGroup> {
  const [masterPort, replicaPort, ...sentinelPorts] = await freePorts(5);
  const fast = ['repl-diskless-sync-delay 0', 'repl-ping-replica-period 1'];
  const master = await RedisProcess.start({ config: fast }, masterPort);
  const replica = await RedisProcess.start(
    { config: [...fast, `replicaof 127.0.0.1 ${masterPort}`] },
    replicaPort,
  );
  await until(async () =>
    (await replica.admin.info('replication')).includes('master_link_status:up'),
  );
  const monitor = [
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${NAME} 1000`,
    `sentinel failover-timeout ${NAME} 4000`,
  ];
  const sentinels = await Promise.all(
    sentinelPorts.map((port) => RedisProcess.start({ mode: 'sentinel', config: monitor }, port)),
  );
  // Known to each other and to the replica, or there is no quorum and nobody to promote.
  await until(async () => {
    const views = await Promise.all(
      sentinels.map(({ admin }) => admin.call('SENTINEL', 'MASTER', NAME)),
    );
    return views.every((view) => {
      const facts = toObject(view as string[]);
      return facts['num-other-sentinels'] === '2' && facts['num-slaves'] === '1';
    });
  });
  return {
    target: {
      topology: {
        type: 'sentinel',
        name: NAME,
        sentinels: sentinelPorts.map((port) => ({ host: '127.0.0.1', port })),
      },
    },
    master,
    replica,
    sentinels,
    async stop() {
      await Promise.all([...sentinels, replica, master].map((one) => one.stop()));
    },
  };
}

function toObject(flat: readonly string[]): Record<string, string> {
  const facts: Record<string, string> = {};
  for (let index = 0; index + 1 < flat.length; index += 2) facts[flat[index]!] = flat[index + 1]!;
  return facts;
}

/** Redis tells of these states only when asked. */
export async function until(holds: () => Promise<boolean>, withinMs = 15_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end) throw new Error(`did not come about within ${withinMs} ms`);
    await wait(20);
  }
}
