import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { handleOf, streamWrap } from '../../../src/mesh/transport/stream-handle.ts';

const MODULE = '../../../src/mesh/transport/stream-handle.ts';
const server = createServer().listen(0, '127.0.0.1');
const open: Socket[] = [];

async function createPair(): Promise<{ near: Socket; far: Socket }> {
  if (!server.listening) await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const far = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [near] = await accepted;
  open.push(near, far);
  return { near, far };
}

afterEach(() => {
  vi.doUnmock(MODULE);
  vi.resetModules();
  for (const socket of open.splice(0)) socket.destroy();
});
afterAll(() => server.close());

it('is found on this Node.js', async () => {
  expect(streamWrap).toBeDefined();
  const { near } = await createPair();
  expect(handleOf(near)).toBeDefined();
  near.destroy();
  expect(handleOf(near)).toBeUndefined();
});

describe('where Node.js does not give it', () => {
  async function importWithout<Module>(load: () => Promise<Module>): Promise<Module> {
    vi.resetModules();
    vi.doMock(MODULE, async (original) => ({
      ...(await original<object>()),
      streamWrap: undefined,
    }));
    return load();
  }

  it('sockets are read by their stream', async () => {
    const [{ SocketReads }, { common }] = await importWithout(() =>
      // Of one load: another `common` would be nobody's.
      Promise.all([
        import('../../../src/mesh/transport/socket-reads.ts'),
        import('../../../src/mesh/transport/read-memory.ts'),
      ]),
    );
    const { near, far } = await createPair();
    const pieces: Buffer[] = [];
    const reads = new SocketReads(near, (bytes) => pieces.push(bytes));
    far.write('hello');
    await once(near, 'data');
    expect(String(Buffer.concat(pieces))).toBe('hello');
    expect(pieces[0]!.buffer).not.toBe(common.buffer);
    reads.end();
    const rest = once(near, 'data');
    far.write('rest');
    expect(String(await rest)).toBe('rest');
    expect(String(Buffer.concat(pieces))).toBe('hello');
  });

  it('sockets are written to by their stream', async () => {
    const { SocketWrites } = await importWithout(
      () => import('../../../src/mesh/transport/socket-writes.ts'),
    );
    const { near, far } = await createPair();
    const writes = new SocketWrites(near);
    // Node.js may still hold the bytes.
    expect(writes.write('caf\xe9')).toBe(false);
    const [bytes] = (await once(far, 'data')) as [Buffer];
    expect(bytes.toString('latin1')).toBe('caf\xe9');
    expect(writes.isIdle).toBe(true);
  });
});
