/** The part of the upstream contract about bodies as they flow. */
import { describe, expect, it } from 'vitest';
import { FloodBody, ManualBody } from './test-body-source.ts';
import type { CreateFixture } from './upstream.ts';
import { requestOf } from './upstream-origin.ts';
import { UpstreamRecorder } from './upstream-recorder.ts';

const MIB = 1024 * 1024;
/** Far more than all buffers between the two ends hold. */
const FLOOD_BYTES = 64 * MIB;
/** More than those buffers hold, and far less than a flood. */
const IN_FLIGHT_MAX_BYTES = 32 * MIB;

export function describeUpstreamStreaming(create: CreateFixture): void {
  describe('streaming', () => {
    it.each([
      ['declared', true],
      ['undeclared', false],
    ])('holds a %s request body back while the upstream does not read', async (_, declared) => {
      const readOn = Promise.withResolvers<void>();
      const { upstream } = await create(({ request, response }) => {
        void readOn.promise.then(() => {
          let bytes = 0;
          request.on('data', (chunk: Buffer) => (bytes += chunk.length));
          request.on('end', () => response.end(String(bytes)));
        });
      });
      const body = new FloodBody(FLOOD_BYTES, { declared });
      const sink = new UpstreamRecorder();
      upstream.send(requestOf({ method: 'POST', body }), sink);
      await body.paused;
      expect(body.pushedBytes).toBeLessThan(IN_FLIGHT_MAX_BYTES);
      readOn.resolve();
      await sink.ended();
      expect(sink.text).toBe(String(FLOOD_BYTES));
    });

    it('holds the upstream back while the reader is paused', async () => {
      let written = 0;
      const stalled = Promise.withResolvers<void>();
      const piece = Buffer.alloc(64 * 1024);
      const { upstream } = await create(({ response }) => {
        const writeOn = (): void => {
          while (written < FLOOD_BYTES) {
            written += piece.length;
            if (response.write(piece)) continue;
            response.once('drain', writeOn);
            return;
          }
          response.end();
        };
        writeOn();
        // No drain for this long: every buffer on the way is full.
        let before = 0;
        const watch = setInterval(() => {
          if (written === before) {
            clearInterval(watch);
            stalled.resolve();
          }
          before = written;
        }, 200);
      });
      const sink = new UpstreamRecorder({ keepsBody: false });
      const call = upstream.send(requestOf(), sink);
      sink.onPiece = () => {
        sink.onPiece = undefined;
        call.pause();
      };
      await stalled.promise;
      expect(written).toBeLessThan(IN_FLIGHT_MAX_BYTES);
      expect(sink.bytes).toBeLessThan(MIB);
      call.resume();
      await sink.ended();
      expect(sink.bytes).toBe(FLOOD_BYTES);
    });

    it('carries both bodies at the same time', async () => {
      const { upstream } = await create(({ request, response }) => {
        response.writeHead(200);
        request.pipe(response);
      });
      const body = new ManualBody();
      const sink = new UpstreamRecorder();
      upstream.send(requestOf({ method: 'POST', body }), sink);
      await body.started;
      body.push('one ');
      await sink.until(() => sink.text === 'one ');
      body.push('two');
      await sink.until(() => sink.text === 'one two');
      expect(sink.isOver).toBe(false);
      body.end();
      await sink.ended();
    });

    it('delivers each piece as it comes', async () => {
      const next = Promise.withResolvers<void>();
      const { upstream } = await create(({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: 1\n\n');
        void next.promise.then(() => response.end('data: 2\n\n'));
      });
      const sink = new UpstreamRecorder();
      upstream.send(requestOf(), sink);
      await sink.until(() => sink.text === 'data: 1\n\n');
      next.resolve();
      await sink.ended();
      expect(sink.text).toBe('data: 1\n\ndata: 2\n\n');
    });
  });
}
