import { describe, expect, it } from 'vitest';
import { readEvents, type ServerEvent } from '../../src/cli/event-stream.ts';

async function read(...chunks: readonly string[]): Promise<ServerEvent[]> {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  const events: ServerEvent[] = [];
  for await (const event of readEvents(body())) events.push(event);
  return events;
}

describe('a stream of events', () => {
  it('is read by its blank lines, whatever ends a line', async () => {
    expect(
      await read(
        ':\n\nevent: a\ndata: 1\n\ndata:2\r\ndata: 3\r\n\r\nid: 9\revent: b\rdata\r\r',
        'event: lost\ndata: x',
      ),
    ).toEqual([
      { event: 'a', data: '1' },
      { event: 'message', data: '2\n3' },
      { event: 'b', data: '' },
    ]);
  });

  it('may come in any pieces', async () => {
    const text = Buffer.from('event: a\r\ndata: ü…\r\n\r\nevent: b\r\ndata: 2\r\n\r\n').toString(
      'latin1',
    );
    expect(await read(...text.split(''))).toEqual([
      { event: 'a', data: 'ü…' },
      { event: 'b', data: '2' },
    ]);
  });

  it('has no event without data', async () => {
    expect(await read('event: a\n\ndata: 1\n\n')).toEqual([{ event: 'message', data: '1' }]);
  });

  it('is given up where an event does not end', async () => {
    await expect(read('data: ', 'x'.repeat(5_000_000))).rejects.toThrow('too long');
  });
});
