/** HTTP/2 requests that are refused, by the door or by the parser. */
import { describe, expect, it } from 'vitest';
import { openListener } from '../../listener/open-listener.ts';
import { connectH2, receive } from './h2-client.ts';
import {
  END_STREAM,
  errorCode,
  GET,
  greet,
  headerBlock,
  parseFrames,
  requestFrame,
  RST_STREAM,
} from './h2-frames.ts';
import { connectRaw, type RawClient } from '../raw-client.ts';

describe('a refused HTTP/2 request', () => {
  const post = [[':method', 'POST'], ...GET.slice(1)] as const;

  async function send(
    client: RawClient,
    fields: readonly (readonly [string, string])[],
  ): Promise<string> {
    await greet(client);
    client.send(requestFrame(1, fields));
    await client.until(({ received }) =>
      parseFrames(received).some(
        ({ type, flags, stream }) =>
          stream === 1 && (type === RST_STREAM || (flags & END_STREAM) !== 0),
      ),
    );
    return client.text;
  }

  it.for([
    ['Host and :authority differ', [...GET, ['host', 'b']], 400],
    ['its authority has a list', [...GET.slice(0, 3), [':authority', 'a,b']], 400],
    ['it is TRACE', [[':method', 'TRACE'], ...GET.slice(1)], 405],
    [
      'it is CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ],
      405,
    ],
    [
      'it connects to another protocol',
      [[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'connect-udp']],
      405,
    ],
    ['it expects too much', [...post, ['expect', 'tea']], 417],
    [
      'its target is too long',
      [...GET.slice(0, 2), [':path', `/${'x'.repeat(8192)}`], GET[3]!],
      414,
    ],
    [
      'it has too many fields',
      [...GET, ...Array.from({ length: 101 }, (_, i) => [`x-${i}`, 'y'] as const)],
      431,
    ],
    [
      'its fields are too large',
      [...GET, ['x', 'y'.repeat(15_000)], ['z', 'y'.repeat(15_000)], ['w', 'y'.repeat(5000)]],
      431,
    ],
  ] as const)(
    'because %s is answered by the door and the connection goes on',
    async ([, fields, status]) => {
      const { port, door } = await openListener();
      const client = connectH2(port);
      // 16 KiB is the largest frame: what is larger goes by node's client, which splits it.
      if (headerBlock(fields).length <= 16_384) {
        await send(await connectRaw(port), fields);
      } else {
        await receive(client.request(fields.flat()));
      }
      await door.until(({ refused }) => refused.length === 1);
      expect(door.refused[0]!.error.status).toBe(status);
      expect(door.refused[0]!.connection.protocol).toBe('h2');
      expect(door.served).toEqual([]);
      expect((await receive(client.request({ ':path': '/next' }))).status).toBe(200);
    },
  );

  it.for([
    ['connection', [...GET, ['connection', 'close']]],
    ['transfer-encoding', [...GET, ['transfer-encoding', 'chunked']]],
    ['te other than trailers', [...GET, ['te', 'gzip']]],
    ['a name in upper case', [...GET, ['X-A', 'b']]],
    ['two Host fields', [...GET, ['host', 'a'], ['host', 'a']]],
    ['userinfo in its authority', [...GET.slice(0, 3), [':authority', 'u@a']]],
    ['a line break in its path', [...GET.slice(0, 2), [':path', '/a\r\nb'], GET[3]!]],
    ['no :path', [GET[0]!, GET[1]!, GET[3]!]],
    ['an empty :path', [GET[0]!, GET[1]!, [':path', ''], GET[3]!]],
    ['a :path that is no path', [GET[0]!, GET[1]!, [':path', 'a'], GET[3]!]],
    ['two :path', [...GET, [':path', '/b']]],
    ['an unknown pseudo-field', [...GET, [':x', 'y']]],
    ['a pseudo-field after a field', [...GET.slice(0, 3), ['x', 'y'], GET[3]!]],
    ['two Content-Length', [...post, ['content-length', '0'], ['content-length', '0']]],
    ['a Content-Length without its body', [...post, ['content-length', '3']]],
  ] as const)('with %s is reset and not served', async ([, fields]) => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    await send(client, fields);
    expect(errorCode(parseFrames(client.received), RST_STREAM)).toBe(1);
    expect(door.served).toEqual([]);
  });

  it.for([
    ['a line break in a value', ['x-a', 'b\r\nc: d']],
    ['NUL in a value', ['x-a', 'b\0c']],
    ['a colon in a name', ['x:a', 'b']],
    ['a space in a name', ['x a', 'b']],
    ['a line break in a name', ['x\r\na', 'b']],
  ] as const)('with %s is served without that field', async ([, field]) => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    await send(client, [...GET, field, ['x-kept', 'y']]);
    // nghttp2 drops it, and tells nobody.
    expect(door.served[0]!.headers).toEqual(['x-kept', 'y']);
  });

  it('with more than twice the fields is reset by the parser', async () => {
    const { port, door } = await openListener();
    const client = await connectRaw(port);
    await send(client, [...GET, ...Array.from({ length: 300 }, (_, i) => [`x${i}`, 'y'] as const)]);
    expect(errorCode(parseFrames(client.received), RST_STREAM)).toBeGreaterThan(0);
    expect(door.served).toEqual([]);
  });
});
