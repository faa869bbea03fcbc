/** What the tests of a backplane share: nodes on one store, and listening for views. */
import { randomUUID } from 'node:crypto';
import type { Backplane, RecordKind, SpaceView } from '../../src/mesh/backplane/backplane.ts';
import type { Log } from '../../src/plugins/sdk/plugin-context.ts';

/** Two nodes that share one store; the embedded backplane's are the same. */
export interface BackplanePair {
  readonly here: Backplane;
  readonly there: Backplane;
  close(): Promise<void>;
}

export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
export const CLOCK = { now: Date.now, monotonic: () => performance.now() };

/** Of this test alone. */
export function newSpace(): string {
  return `svc:${randomUUID()}`;
}

export interface Watching {
  readonly views: readonly SpaceView[];
  /** The first view that fits, past ones included. */
  until(fits: (view: SpaceView) => boolean): Promise<SpaceView>;
  stop(): void;
}

export function watchSpace(backplane: Backplane, space: string): Watching {
  const views: SpaceView[] = [];
  let waiting: { fits: (view: SpaceView) => boolean; resolve: (view: SpaceView) => void }[] = [];
  const stop = backplane.watch(space, (view) => {
    views.push(view);
    waiting = waiting.filter(({ fits, resolve }) => {
      if (fits(view)) resolve(view);
      return !fits(view);
    });
  });
  return {
    views,
    stop,
    async until(fits) {
      return views.find(fits) ?? new Promise((resolve) => waiting.push({ fits, resolve }));
    },
  };
}

export function idsOf(view: SpaceView, kind: RecordKind = 'inst'): string[] {
  return [...view.records(kind).keys()].toSorted();
}
