/** Request bodies on their way through the transforms of several plugins. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { TransformedBody } from '../../../src/gateway/forward/transformed-body.ts';
import { BufferedBody, collectBody } from '../../../src/mesh/transport/buffered-body.ts';

describe('a request body that several plugins transform', () => {
  it('goes through all of them', async () => {
    const transforms = [new PassThrough(), new PassThrough(), new PassThrough()];
    const body = new TransformedBody(new BufferedBody(Buffer.from('abc')), transforms);
    expect(Buffer.from(await collectBody(body)).toString()).toBe('abc');
  });

  it('lets go of every one of them when nobody wants it any more', () => {
    const transforms = [new PassThrough(), new PassThrough(), new PassThrough()];
    const body = new TransformedBody(new BufferedBody(Buffer.from('abc')), transforms);
    body.start({ onData() {}, onEnd() {}, onError() {} });
    body.cancel();
    expect(transforms.map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
  });
});
