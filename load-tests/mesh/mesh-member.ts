/** This process as a member of the mesh under test: it registers instances, as node proxies do. */
import {
  createRedisBackplane,
  type RedisBackplane,
} from '../../src/mesh/backplane/redis/redis-backplane.ts';
import { parseRedisUrl } from '../../src/mesh/backplane/redis/redis-target.ts';
import type { InstanceSpec } from '../../src/mesh/registry/instance.ts';
import { Registration } from '../../src/mesh/registry/registration.ts';

const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const monotonic = (): number => performance.now();
const clock = { now: () => Date.now(), monotonic };

export interface MeshMember {
  readonly backplane: RedisBackplane;
  /** Resolves once the store has it. */
  register(service: string, instance: InstanceSpec): Promise<Registration>;
  close(): Promise<void>;
}

export async function joinMesh(url: string): Promise<MeshMember> {
  const target = parseRedisUrl(url);
  const backplane = createRedisBackplane({ target, clock, log, random: Math.random });
  await backplane.start();
  return {
    backplane,
    async register(service, instance) {
      const registration = new Registration({
        backplane,
        service,
        instance,
        monotonic,
        random: Math.random,
        log,
      });
      if (!(await registration.start())) throw new Error(`${instance.id} could not be registered`);
      return registration;
    },
    close: () => backplane.close(),
  };
}

/** As many at a time as a fleet that starts. */
export async function registerAll(
  member: MeshMember,
  wanted: readonly { readonly service: string; readonly instance: InstanceSpec }[],
): Promise<readonly Registration[]> {
  const registrations: Registration[] = [];
  const BATCH = 100;
  for (let begin = 0; begin < wanted.length; begin += BATCH) {
    const batch = wanted.slice(begin, begin + BATCH);
    registrations.push(
      ...(await Promise.all(
        batch.map(({ service, instance }) => member.register(service, instance)),
      )),
    );
  }
  return registrations;
}
