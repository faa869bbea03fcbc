/** A real cluster: three masters, each with a replica if wanted. */
import type { RedisTarget } from '../../src/mesh/backplane/redis/redis-target.ts';
import { freePorts } from './free-port.ts';
import { RedisProcess } from './redis-process.ts';
import { until } from './redis-sentinel.ts';

export interface RedisCluster {
  readonly target: RedisTarget;
  readonly masters: readonly RedisProcess[];
  readonly replicas: readonly RedisProcess[];
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const MASTERS = 3;

export async function startRedisCluster({ replicas = 0 } = {}): Promise<RedisCluster> {
  const count = MASTERS + replicas;
  const ports = await freePorts(count * 2);
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      RedisProcess.start(
        {
          config: [
            'cluster-enabled yes',
            // The usual one is 10,000 above, where there may be no port.
            `cluster-port ${ports[count + index]}`,
            'cluster-node-timeout 1000',
            'cluster-replica-validity-factor 0',
            'repl-diskless-sync-delay 0',
          ],
        },
        ports[index],
      ),
    ),
  );
  const masters = nodes.slice(0, MASTERS);
  const others = nodes.slice(MASTERS);
  await Promise.all(
    masters.map(({ admin }, index) => {
      const first = Math.floor((SLOTS * index) / MASTERS);
      const last = Math.floor((SLOTS * (index + 1)) / MASTERS) - 1;
      return admin.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    }),
  );
  await Promise.all(
    nodes.map(({ admin }, index) => admin.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)),
  );
  const [first, ...rest] = nodes;
  for (const { port } of rest) {
    await first!.admin.call(
      'CLUSTER',
      'MEET',
      '127.0.0.1',
      port,
      ports[count + nodes.findIndex((node) => node.port === port)]!,
    );
  }
  await until(async () => {
    const states = await Promise.all(
      nodes.map(({ admin }) => admin.call('CLUSTER', 'INFO') as Promise<string>),
    );
    return states.every((state) => state.includes(`cluster_known_nodes:${count}`));
  });
  await Promise.all(
    others.map(async (replica, index) => {
      const id = (await masters[index]!.admin.call('CLUSTER', 'MYID')) as string;
      await replica.admin.call('CLUSTER', 'REPLICATE', id);
      await until(async () =>
        (await replica.admin.info('replication')).includes('master_link_status:up'),
      );
    }),
  );
  await until(async () => {
    const states = await Promise.all(
      nodes.map(({ admin }) => admin.call('CLUSTER', 'INFO') as Promise<string>),
    );
    return states.every(
      (state) => state.includes('cluster_state:ok') && state.includes(`cluster_slots_ok:${SLOTS}`),
    );
  });
  return {
    target: {
      topology: {
        type: 'cluster',
        nodes: masters.map(({ port }) => ({ host: '127.0.0.1', port })),
      },
    },
    masters,
    replicas: others,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}
