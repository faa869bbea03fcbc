import { expect, it } from 'vitest';
import { Program } from '../integration/process/gateway-process.ts';
import { findRedisServer } from '../redis/find-redis-server.ts';

it(
  'the demo of the mesh kills a machine and Redis, and no request fails',
  { timeout: 60_000 },
  async () => {
    await findRedisServer();
    const program = new Program([], {
      command: ['npm', 'run', 'demo:mesh', '--', '--quick'],
      group: true,
    });
    const { code } = await program.ended;
    expect(program.stdout).toMatch(
      /Killing sidecar-1[\s\S]*Killing Redis[\s\S]*\d{3} requests, 0 failed\.\n$/,
    );
    expect(code).toBe(0);
  },
);
