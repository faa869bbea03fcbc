/** Nodes with a store of versions, for tests: each with a disk of its own. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backplane } from '../../../../src/mesh/backplane/backplane.ts';
import type { Schedule } from '../../../../src/mesh/backplane/schedule.ts';
import type { Clock } from '../../../../src/plugins/sdk/plugin-context.ts';
import { createConfigKeys } from '../../../../src/gateway/config/versions/config-keys.ts';
import { createVersionStore } from '../../../../src/gateway/config/versions/create-version-store.ts';
import type { HistoryLimits } from '../../../../src/gateway/config/versions/history.ts';
import {
  EMPTY_DOCUMENT,
  type SharedDocument,
} from '../../../../src/gateway/config/versions/shared-document.ts';
import type {
  KnownVersion,
  NodeVersionStore,
  VersionInfo,
} from '../../../../src/gateway/config/versions/version-store.ts';
import { CLOCK } from '../../../contracts/backplane-fixture.ts';

export interface VersionNode {
  readonly store: NodeVersionStore;
  readonly dataDir: string;
  /** What its log has said, warnings and worse. */
  readonly warnings: readonly string[];
  /** The first head that fits, the present one included. */
  until(fits: (head: KnownVersion) => boolean): Promise<KnownVersion>;
  untilUnreadable(): Promise<string>;
  write(document: SharedDocument, message?: string): Promise<VersionInfo>;
  close(): Promise<void>;
}

export interface VersionNodeOptions {
  readonly backplane: Backplane;
  /** Undefined: a key of its own, on its disk. */
  readonly key?: string | undefined;
  readonly dataDir?: string;
  readonly limits?: HistoryLimits;
  readonly clock?: Clock;
  readonly schedule?: Schedule;
  readonly isShared?: boolean;
}

export function newKey(): string {
  return randomBytes(32).toString('base64');
}

/** A folder; whoever makes it removes it. */
export function newDataDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'meshgate-versions-'));
}

export async function startVersionNode(options: VersionNodeOptions): Promise<VersionNode> {
  const { backplane, key, limits, clock = CLOCK, schedule, isShared = key !== undefined } = options;
  const dataDir = options.dataDir ?? (await newDataDir());
  const warnings: string[] = [];
  const warn = (_fields: object, message: string): void => void warnings.push(message);
  const store = createVersionStore({
    backplane,
    keys: createConfigKeys({
      env: { MESHGATE_CONFIG_KEY: key },
      directory: dataDir,
      dataDir,
      isShared,
    }),
    directory: join(dataDir, 'config-versions'),
    clock,
    random: Math.random,
    log: { debug() {}, info() {}, warn, error: warn },
    schedule,
    limits,
  });
  await store.start();
  return {
    store,
    dataDir,
    warnings,
    until: (fits) =>
      new Promise((resolve) => {
        const stop = store.onHead((head) => {
          if (!fits(head)) return;
          stop();
          resolve(head);
        });
        const head = store.head();
        if (head === undefined || !fits(head)) return;
        stop();
        resolve(head);
      }),
    untilUnreadable: () =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = store.unreadable();
          if (found !== undefined) resolve(found.reason);
        };
        store.onUnreadable(look);
        look();
      }),
    async write(document, message = '') {
      const basedOn = store.head()?.version ?? 0;
      const outcome = await store.write(document, { author: 'ann', message, basedOn });
      if (!outcome.written) throw new Error('another write came first');
      return outcome.version;
    },
    async close() {
      await store.close();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** With one route, which answers with a text. */
export function documentOf(text: string): SharedDocument {
  const match = [{ path: '/*' }];
  return {
    ...EMPTY_DOCUMENT,
    routes: [{ name: 'hello', match, respond: { status: 200, body: text } }],
  };
}
