/** Token stores for tests, and how to wait for what they are told. */
import { onTestFinished } from 'vitest';
import { createTokenStore, type TokenStore } from '../../../src/admin/access/token-store.ts';
import type { Backplane } from '../../../src/mesh/backplane/backplane.ts';
import { scheduleTimer } from '../../../src/mesh/backplane/schedule.ts';
import { CLOCK, SILENT, watchSpace } from '../../contracts/backplane-fixture.ts';
import { createFolder } from '../../gateway/config/config-file.ts';

export const SPACE = 'admin-tokens';

export async function openStore(
  backplane: Backplane,
  { dataDir, now = Date.now }: { dataDir?: string; now?: () => number } = {},
): Promise<TokenStore> {
  const store = createTokenStore({
    backplane,
    dataDir: dataDir ?? (await createFolder()),
    clock: { ...CLOCK, now },
    log: SILENT,
    schedule: scheduleTimer,
  });
  await store.start();
  onTestFinished(() => store.close());
  return store;
}

export function make(store: TokenStore, name = 'ci', expiresAtMs?: number) {
  return store.create({
    name,
    role: 'operator',
    scope: { services: { prefixes: ['shop-'] } },
    expiresAtMs,
    createdBy: 'admin-token',
  });
}

/**
 * To be called after the store was opened, and before what is waited for: both are told together
 * then, the store first.
 */
export function follow(
  backplane: Backplane,
): (...states: (readonly [string, boolean])[]) => Promise<void> {
  const watching = watchSpace(backplane, SPACE);
  onTestFinished(() => watching.stop());
  return async (...states) => {
    await watching.until(({ records }) =>
      states.every(([id, isRevoked]) => {
        const value = records('doc').get(id)?.value as { readonly revoked?: object } | undefined;
        return value !== undefined && (value.revoked !== undefined) === isRevoked;
      }),
    );
  };
}

export function principalOf(store: TokenStore, text: string): unknown {
  const verified = store.verify(text);
  return 'principal' in verified ? verified.principal : verified.refused;
}
