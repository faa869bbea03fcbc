/** Who is where: the instances of the mesh's services, asked for once or watched. */
import type { Backplane, SpaceView, StoredRecord } from '../backplane/backplane.ts';
import { BackplaneError } from '../backplane/backplane-error.ts';
import { compileQuery, type AttributeQuery } from './attribute-query.ts';
import { isServiceName, parseInstance, spaceOfService, type Instance } from './instance.ts';
import {
  changeOverride,
  isNoOverride,
  NO_OVERRIDE,
  parseOverride,
  toOverrideValue,
  type Override,
  type OverrideChange,
} from './override.ts';
import { INDEX_SPACE } from './service-index.ts';

export interface ServiceView {
  readonly service: string;
  readonly epoch: string;
  readonly revision: number;
  /** What is gone since the view before was removed on purpose or expired. */
  readonly continuous: boolean;
  /** Ordered by id. */
  readonly instances: readonly Instance[];
  /** By the id of the endpoint, which may be one that is not of the registry. */
  readonly overrides: ReadonlyMap<string, Override>;
}

export interface InstanceQuery {
  readonly service: string;
  /** By metadata; default: all. */
  readonly where?: AttributeQuery | undefined;
  /** Default false. */
  readonly includeDraining?: boolean | undefined;
}

export interface Registry {
  /** Asks the store; rejects with a `BackplaneError`. */
  query(query: InstanceQuery): Promise<readonly Instance[]>;
  /** As `query`, with what operators decided and the revision. */
  read(query: InstanceQuery): Promise<ServiceView>;
  /** As `Backplane.watch`; an instance that is not of `where` counts as not there. */
  watch(query: InstanceQuery, listener: (view: ServiceView) => void): () => void;
  /** Names of all services that have had an instance in the last minutes, in order. */
  services(): Promise<readonly string[]>;
  /** What an operator decides about an endpoint; for every node, and until taken back. */
  override(service: string, endpointId: string, change: OverrideChange): Promise<Override>;
}

/** Two operators at once are rare, and five of them are not to be expected. */
const OVERRIDE_TRIES = 5;

export function createRegistry(backplane: Backplane): Registry {
  /** A view has the same record objects for what did not change. */
  const parsed = new WeakMap<StoredRecord, { readonly instance: Instance | undefined }>();

  function instanceOf(service: string, record: StoredRecord): Instance | undefined {
    let known = parsed.get(record);
    if (known === undefined) {
      known = { instance: parseInstance(service, record) };
      parsed.set(record, known);
    }
    return known.instance;
  }

  function createReader(query: InstanceQuery): (view: SpaceView) => ServiceView {
    const { service, where = {}, includeDraining = false } = query;
    const fits = compileQuery(where);
    return ({ epoch, revision, continuous, records }) => {
      const overrides = new Map<string, Override>();
      for (const record of records('weight').values()) {
        overrides.set(record.id, parseOverride(record));
      }
      const instances: Instance[] = [];
      for (const record of records('inst').values()) {
        const instance = instanceOf(service, record);
        if (instance === undefined || !fits(instance.metadata)) continue;
        const isDraining = instance.draining || overrides.get(instance.id)?.drain === true;
        if (includeDraining || !isDraining) instances.push(instance);
      }
      instances.sort((a, b) => (a.id < b.id ? -1 : 1));
      return { service, epoch, revision, continuous, instances, overrides };
    };
  }

  async function tryOverride(
    service: string,
    id: string,
    change: OverrideChange,
  ): Promise<Override | undefined> {
    const space = spaceOfService(service);
    const stored = (await backplane.read(space)).records('weight').get(id);
    const current = stored === undefined ? NO_OVERRIDE : parseOverride(stored);
    const next = changeOverride(current, change);
    const when =
      stored === undefined ? { absent: true as const } : { generation: stored.generation };
    if (isNoOverride(next) && stored === undefined) return next;
    const { applied } = await backplane.change(space, [
      isNoOverride(next)
        ? { type: 'remove', kind: 'weight', id, when }
        : { type: 'put', kind: 'weight', id, value: toOverrideValue(next), when },
    ]);
    return applied ? next : undefined;
  }

  async function read(query: InstanceQuery): Promise<ServiceView> {
    return createReader(query)(await backplane.read(spaceOfService(query.service)));
  }

  return {
    async query(query) {
      const { instances } = await read(query);
      return instances;
    },
    read,
    watch(query, listener) {
      const read = createReader(query);
      return backplane.watch(spaceOfService(query.service), (view) => listener(read(view)));
    },
    async services() {
      const reports = await backplane.reports(INDEX_SPACE);
      return reports
        .map(({ id }) => id)
        .filter(isServiceName)
        .toSorted();
    },
    async override(service, endpointId, change) {
      for (let tries = 0; tries < OVERRIDE_TRIES; tries += 1) {
        const done = await tryOverride(service, endpointId, change);
        if (done !== undefined) return done;
      }
      throw new BackplaneError('refused', 'others change the same endpoint at the same time');
    },
  };
}
