/** Mesh discovery: the registry's instances, kept through every outage, in memory and on the disk. */
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import { reasonOf } from '../backplane/backplane-error.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import type { EndpointSpec } from '../endpoint.ts';
import type { Instance } from '../registry/instance.ts';
import { NO_OVERRIDE, type Override } from '../registry/override.ts';
import type { Registry, ServiceView } from '../registry/registry.ts';
import type { EndpointListener, EndpointSource } from './endpoint-source.ts';
import {
  dropExpired,
  nextExpiryMs,
  NOTHING_KNOWN,
  takeView,
  type KnownInstances,
} from './known-instances.ts';
import { createLastKnownFile } from './last-known.ts';

export interface MeshSourceOptions {
  readonly service: string;
  readonly registry: Pick<Registry, 'watch'>;
  /** Where the last known list is kept; default: in memory alone. */
  readonly directory?: string | undefined;
  readonly log: Log;
  readonly monotonic: () => number;
  readonly schedule?: Schedule | undefined;
}

export interface MeshSource extends EndpointSource {
  /** Resolves when nothing waits to be saved any more; after `stop`, that is the last time. */
  settled(): Promise<void>;
  status(): MeshSourceStatus;
}

export interface MeshSourceStatus {
  /** Where the list in force comes from. */
  readonly origin: 'nowhere' | 'disk' | 'backplane';
  readonly epoch: string;
  readonly revision: number;
  /** Endpoints that the registry forgot, and that still have time to come back. */
  readonly carried: number;
}

/** How long the backplane is waited for before the disk is believed. */
const DISK_AFTER_MS = 250;
/** Between two writes to the disk: a list of 10,000 is some megabytes. */
const SAVE_MS = 1_000;

export function createMeshSource(options: MeshSourceOptions): MeshSource {
  const { service, registry, directory, log, monotonic, schedule = scheduleTimer } = options;
  const file = directory === undefined ? undefined : createLastKnownFile(directory, service);
  let listener: EndpointListener | undefined;
  /** Tells a beginning that outlived its run. */
  let run = 0;
  let known: KnownInstances = NOTHING_KNOWN;
  let origin: MeshSourceStatus['origin'] = 'nowhere';
  let told: readonly EndpointSpec[] | undefined;
  let stopWatching = (): void => {};
  let callOffExpiry = (): void => {};
  let callOffDisk = (): void => {};
  let callOffSave: (() => void) | undefined;
  let saving: Promise<void> | undefined;

  function take(next: KnownInstances): void {
    known = next;
    callOffExpiry();
    const expiryMs = nextExpiryMs(known);
    if (expiryMs !== undefined) {
      const delayMs = Math.max(0, expiryMs - monotonic()) + 1;
      callOffExpiry = schedule(delayMs, () => take(dropExpired(known, monotonic())));
    }
    tell();
  }

  function tell(): void {
    // An empty list is no news, unless nobody has been told anything yet: then it is that the
    // mesh was asked.
    if (known.specs.size === 0 && (told !== undefined || origin === 'nowhere')) return;
    const specs = [...known.specs.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    if (isDeepStrictEqual(specs, told)) return;
    told = specs;
    listener?.(specs);
  }

  function heard({ epoch, revision, continuous, instances, overrides }: ServiceView): void {
    const specs = new Map(
      instances.map((instance) => [instance.id, toSpec(instance, overrides.get(instance.id))]),
    );
    const before = known;
    callOffDisk();
    if (specs.size > 0 || known.specs.size === 0) origin = 'backplane';
    else if (origin === 'nowhere') origin = 'disk';
    take(takeView(known, { epoch, revision, continuous, specs }, monotonic()));
    if (specs.size === 0 && before.specs.size > 0) {
      const kept = before.specs.size;
      log.warn({ service, kept }, 'the registry has no instance, the last known stay in force');
    }
    saveLater();
  }

  function saveLater(): void {
    if (file === undefined || known.specs.size === 0) return;
    callOffSave ??= schedule(SAVE_MS, save);
  }

  function save(): void {
    callOffSave = undefined;
    const { epoch, revision, specs } = known;
    saving = file
      ?.write({ epoch, revision, endpoints: [...specs.values()] })
      .catch((error: unknown) => {
        log.warn(
          { service, reason: reasonOf(error) },
          'the last known endpoints could not be saved',
        );
      });
  }

  /** The disk first: what the registry says is judged by what was known before. */
  async function begin(ofRun: number): Promise<void> {
    const lastKnown = await file?.read().catch((error: unknown) => {
      log.warn({ service, reason: reasonOf(error) }, 'the last known endpoints could not be read');
    });
    if (ofRun !== run) return;
    if (lastKnown !== undefined && origin === 'nowhere') {
      const { epoch, revision, endpoints } = lastKnown;
      const specs = new Map(endpoints.map((spec) => [spec.id, spec]));
      known = { epoch, revision, specs, carried: new Map() };
      // Told only if the backplane keeps waiting: it knows better, and is mostly there at once.
      callOffDisk = schedule(DISK_AFTER_MS, tellDisk);
    }
    stopWatching = registry.watch({ service, includeDraining: true }, heard);
  }

  function tellDisk(): void {
    origin = 'disk';
    log.info({ service, endpoints: known.specs.size }, 'endpoints as last known, from the disk');
    tell();
  }

  return {
    start(heardEndpoints) {
      if (listener !== undefined) throw new Error('already started');
      listener = heardEndpoints;
      told = undefined;
      void begin(run);
    },
    stop() {
      if (listener === undefined) return;
      listener = undefined;
      run += 1;
      stopWatching();
      callOffExpiry();
      callOffDisk();
      if (callOffSave === undefined) return;
      callOffSave();
      save();
    },
    async settled() {
      await saving;
    },
    status() {
      const { epoch, revision, carried } = known;
      return { origin, epoch, revision, carried: carried.size };
    },
  };
}

function toSpec(instance: Instance, override: Override = NO_OVERRIDE): EndpointSpec {
  const { id, host, port, weight, metadata, zone, priority, draining, owner } = instance;
  return {
    id,
    host,
    port,
    weight: override.weight ?? weight,
    metadata,
    incarnation: owner,
    ...(zone !== undefined && { zone }),
    ...(priority !== 0 && { priority }),
    ...((draining || override.drain) && { draining: true }),
  };
}
