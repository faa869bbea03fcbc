import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findFreePorts } from '../../load-tests/free-port.ts';
import { haproxy } from '../../load-tests/peers/haproxy.ts';
import { editionPath } from '../../load-tests/peers/peer.ts';
import { ProcessKeeper } from '../../load-tests/process-keeper.ts';
import { probe } from '../../load-tests/probe.ts';

const PATH = `${process.env['PATH']}:/usr/local/sbin:/usr/sbin`;
const isThere = spawnSync('haproxy', ['-v'], { env: { PATH } }).status === 0;

/** Each time it is only likely that a request to reload would be lost. */
const STARTS = [1, 2, 3, 4, 5];

it.runIf(isThere).for(STARTS)(
  'has HAProxy take another configuration from its first answer on (start %i)',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'meshgate-haproxy-'));
    const processes = new ProcessKeeper();
    try {
      const [port, sparePort] = (await findFreePorts(2)) as [number, number];
      const running = await haproxy.start(
        { routes: 10, tls: false, body: 'small', edition: 0 },
        { directory, port, sparePort, upstreamPort: 9, certificateFile: '', processes },
      );
      const isOf = (edition: number): Promise<boolean> =>
        probe(running, { path: editionPath(edition) }).then(
          ({ status }) => status === 204,
          () => false,
        );
      await expect.poll(() => isOf(0), { timeout: 10_000, interval: 1 }).toBe(true);
      await running.reload!(1);
      await expect.poll(() => isOf(1), { timeout: 10_000 }).toBe(true);
      expect(await isOf(0)).toBe(false);
    } finally {
      await processes.stopAll();
      await rm(directory, { recursive: true });
    }
  },
);
